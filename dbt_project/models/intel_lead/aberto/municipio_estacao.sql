-- 600 stations for each of 5,571 municípios: once, when stations come or go.
with estacoes as (
    select distinct on (estacao)
        estacao,
        latitude,
        longitude
    from {{ ref('clima_mensal') }}
    order by estacao asc, competencia desc
)

select
    m.id as municipio_id,
    e.estacao,
    e.distancia_km
from {{ ref('municipio') }} as m
cross join lateral (
    select
        estacoes.estacao,
        2 * 6371 * asin(sqrt(least(
            1,
            sin(radians(estacoes.latitude - m.latitude) / 2) ^ 2
            + cos(radians(m.latitude)) * cos(radians(estacoes.latitude))
            * sin(radians(estacoes.longitude - m.longitude) / 2) ^ 2
        ))) as distancia_km
    from estacoes
    order by distancia_km, estacoes.estacao
    limit 1
) as e
