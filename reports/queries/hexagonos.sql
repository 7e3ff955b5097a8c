-- The smallest hexagons that a page shows.
with tamanhos as (
    select
        tamanho_m,
        count(*) as n
    from marts.mart_hexagono
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    group by tamanho_m
)

select
    tamanho_m,
    hexagono,
    suprimido,
    quantidade_leads,
    energia_anual_kwh,
    geom::text as geom
from marts.mart_hexagono
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    and tamanho_m = (
        select coalesce(min(t.tamanho_m) filter (where t.n <= %(hexagonos)s), max(t.tamanho_m))
        from tamanhos as t
    )
order by hexagono
