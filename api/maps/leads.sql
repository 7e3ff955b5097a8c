-- One tile of leads: each by itself, or counted in 64 by 64 cells where one by one they are too many for a tile.
with bloco as (
    select
        st_tileenvelope(%(z)s, %(x)s, %(y)s) as area,
        st_transform(st_tileenvelope(%(z)s, %(x)s, %(y)s), 4674) as graus
),

leads as materialized (
    select
        l.uc_id,
        l.distribuidora_id,
        l.energia_anual_kwh,
        l.melhor_score,
        l.melhor_oferta,
        st_asmvtgeom(st_transform(l.geom, 3857), b.area, %(unidades)s, 64) as geom
    from bloco as b
    inner join marts.mart_lead as l on l.geom && b.graus
),

quantos as (
    select count(*) > %(mais)s as demais from leads
),

formas as (
    select
        l.uc_id::text as uc_id,
        null::bigint as quantidade_leads,
        round(l.energia_anual_kwh) as energia_anual_kwh,
        round(l.melhor_score, 1)::double precision as score,
        l.melhor_oferta as oferta,
        l.distribuidora_id,
        l.geom
    from leads as l
    where not (select demais from quantos) and l.geom is not null
    union all
    select
        null as uc_id,
        count(*) as quantidade_leads,
        round(sum(l.energia_anual_kwh)) as energia_anual_kwh,
        round(max(l.melhor_score))::double precision as score,
        null as oferta,
        null as distribuidora_id,
        st_makepoint(round(avg(st_x(l.geom))), round(avg(st_y(l.geom)))) as geom
    from leads as l
    where (select demais from quantos) and l.geom is not null
    group by floor(st_x(l.geom) * 64 / %(unidades)s), floor(st_y(l.geom) * 64 / %(unidades)s)
)

select
    coalesce(st_asmvt(formas, 'leads', %(unidades)s, 'geom'), '') as bloco,
    count(*) as feicoes
from formas
