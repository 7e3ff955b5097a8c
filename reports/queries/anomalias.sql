select
    nivel,
    tipo,
    count(*) as meses,
    count(distinct serie_id) as series
from marts.mart_anomalia
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    and (%(municipios)s::integer[] is null or uc_id in (
        select l.uc_id from marts.lead_com_coordenadas as l
        where l.ano = %(ano)s and l.distribuidora_id = %(distribuidora_id)s
            and l.municipio_id = any(%(municipios)s::integer[])
    ) or nivel = 'municipio' and serie_id = any(%(municipios)s::integer[]::text[]))
group by nivel, tipo
order by count(*) desc, nivel, tipo asc
