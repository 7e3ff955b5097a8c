-- A point per place, the greatest ones: a page has no room for more. do_maior: of the município whose
-- leads use most, which gets a map of its own where there are others.
with leads as (
    select *
    from marts.mart_lead_safra as l
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
        and origem_coordenada <> 'municipio'
        and longitude is not null
        and (%(municipios)s::integer[] is null or municipio_id = any(%(municipios)s::integer[]))
        and (%(ofertas)s::text[] is null or exists (
            select from marts.mart_lead_score as s
            where s.uc_id = l.uc_id and s.ano = l.ano and s.distribuidora_id = l.distribuidora_id
                and s.oferta = any(%(ofertas)s::text[])
        ))
),

maior as (
    select
        municipio_id,
        municipio
    from leads
    where municipio_id is not null
    group by municipio_id, municipio
    order by sum(energia_anual_kwh) desc nulls last, municipio_id
    limit 1
)

select
    l.longitude,
    l.latitude,
    count(*) as leads,
    coalesce(sum(l.energia_anual_kwh), 0) as energia_anual_kwh,
    bool_or(l.origem <> 'UCBT') as at_mt,
    bool_or(coalesce(l.municipio_id = m.municipio_id, false))
    and (select count(distinct a.municipio_id) from leads as a) > 1 as do_maior,
    min(m.municipio) as maior,
    count(*) over () as lugares
from leads as l
left join maior as m on true
group by l.longitude, l.latitude
order by energia_anual_kwh desc, l.longitude asc, l.latitude asc
limit %(lugares)s
