-- One tile of transformers: each by itself, or counted in 64 by 64 cells where they are too many for a tile.
with bloco as (
    select
        st_tileenvelope(%(z)s, %(x)s, %(y)s) as area,
        st_transform(st_tileenvelope(%(z)s, %(x)s, %(y)s), 4674) as graus
),

todos as materialized (
    select
        t.transformador,
        t.circuito,
        t.distribuidora_id,
        t.potencia_kva,
        t.carregamento_maximo,
        case when t.suprimido then true end as suprimido,
        st_asmvtgeom(st_transform(t.geom, 3857), b.area, %(unidades)s, 64) as geom
    from bloco as b
    inner join marts.mart_transformador as t on t.geom && b.graus
    where not exists (
        select from marts.safra_publicada as s
        where t.distribuidora_id = s.distribuidora_id and t.ano < s.ano
    )
),

quantos as (
    select count(*) > %(mais)s as demais from todos
),

formas as (
    select
        t.transformador,
        t.circuito,
        t.distribuidora_id,
        null::bigint as quantidade,
        t.potencia_kva,
        t.carregamento_maximo,
        t.suprimido,
        t.geom
    from todos as t
    where not (select demais from quantos) and t.geom is not null
    union all
    select
        null as transformador,
        null as circuito,
        null as distribuidora_id,
        count(*) as quantidade,
        sum(t.potencia_kva) as potencia_kva,
        max(t.carregamento_maximo) as carregamento_maximo,
        null as suprimido,
        st_makepoint(round(avg(st_x(t.geom))), round(avg(st_y(t.geom)))) as geom
    from todos as t
    where (select demais from quantos) and t.geom is not null
    group by floor(st_x(t.geom) * 64 / %(unidades)s), floor(st_y(t.geom) * 64 / %(unidades)s)
)

select
    coalesce(st_asmvt(formas, 'transformadores', %(unidades)s, 'geom'), '') as bloco,
    count(*) as feicoes
from formas
