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
    and tamanho_m = coalesce(
        (select min(tamanho_m) from tamanhos where n <= %(hexagonos)s),
        (select max(tamanho_m) from tamanhos)
    )
order by hexagono
