-- 1. As dez maiores unidades de média tensão, com a parte de cada uma na energia da camada (pessoas jurídicas).
select
    cod_id,
    distribuidora,
    municipio,
    segmento_mercado,
    energia_anual_kwh,
    100 * energia_anual_kwh / sum(energia_anual_kwh) over (partition by distribuidora_id) as parte_pct
from marts.mart_lead
where origem = 'UCMT'
order by energia_anual_kwh desc nulls last, distribuidora_id, cod_id
limit 10;
