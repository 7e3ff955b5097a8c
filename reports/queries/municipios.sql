-- Legal persons' leads of the safra by município: resumo_municipio adds the distributors of one.
select
    municipio,
    uf,
    count(*) as leads,
    sum(energia_anual_kwh) as energia_anual_kwh
from marts.mart_lead_safra as l
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    and (%(municipios)s::integer[] is null or municipio_id = any(%(municipios)s::integer[]))
    and (%(ofertas)s::text[] is null or exists (
        select from marts.mart_lead_score as s
        where s.uc_id = l.uc_id and s.ano = l.ano and s.distribuidora_id = l.distribuidora_id
            and s.oferta = any(%(ofertas)s::text[])
    ))
group by municipio_id, municipio, uf
order by sum(energia_anual_kwh) desc nulls last, municipio
limit 15
