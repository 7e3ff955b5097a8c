-- Legal persons' leads of the safra by município: resumo_municipio adds the distributors of one.
select
    municipio,
    uf,
    count(*) as leads,
    sum(energia_anual_kwh) as energia_anual_kwh
from marts.mart_lead_safra
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
group by municipio_id, municipio, uf
order by sum(energia_anual_kwh) desc nulls last, municipio
limit 15
