-- The farthest one of each kind and the next ones, a series once for a kind.
with ordenadas as (
    select distinct on (a.tipo, a.serie_id)
        a.nivel,
        a.tipo,
        a.serie_id,
        a.uc_id,
        a.escore,
        a.evidencia
    from marts.mart_anomalia as a
    where a.ano = %(ano)s and a.distribuidora_id = %(distribuidora_id)s
        and (%(municipios)s::integer[] is null or a.uc_id in (
            select l.uc_id from marts.lead_com_coordenadas as l
            where l.ano = %(ano)s and l.distribuidora_id = %(distribuidora_id)s
                and l.municipio_id = any(%(municipios)s::integer[])
        ) or a.nivel = 'municipio' and a.serie_id = any(%(municipios)s::integer[]::text[]))
    order by a.tipo asc, a.serie_id asc, a.escore desc nulls last, a.mes asc
),

numeradas as (
    select
        *,
        row_number() over (partition by tipo order by escore desc nulls last, serie_id asc) as ordem
    from ordenadas
)

select
    n.nivel,
    n.tipo,
    n.serie_id,
    n.evidencia,
    l.cod_id,
    l.municipio,
    l.segmento_mercado
from numeradas as n
left join marts.mart_lead_safra as l
    on n.uc_id = l.uc_id and l.ano = %(ano)s and l.distribuidora_id = %(distribuidora_id)s
where n.ordem <= 3
order by n.tipo, n.ordem
