-- 6. A parte das unidades de pessoas jurídicas com geração distribuída, por camada.
select
    distribuidora,
    origem,
    count(*) as unidades,
    count(*) filter (where possui_geracao) as com_geracao,
    100.0 * count(*) filter (where possui_geracao) / count(*) as parte_pct
from marts.mart_lead
group by distribuidora, origem
order by distribuidora, origem;
