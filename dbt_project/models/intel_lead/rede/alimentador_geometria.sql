{{ config(indexes=[{'columns': ['geom'], 'type': 'gist'}]) }}

-- depends_on: {{ ref('lead_bruto') }} (it enters an unknown distribuidora, which this one references)
with linhas as (
    select
        ano,
        distribuidora_id,
        circuito,
        max(import_id) as import_id,
        {{ postgis() }}st_multi(
            {{ postgis() }}st_linemerge(
                {{ postgis() }}st_collectionhomogenize({{ postgis() }}st_collect(geom))
            )
        )::{{ postgis() }}geometry (multilinestring, 4674) as geom
    from {{ ref('stg_ssdmt') }}
    where
        circuito is not null
        and {{ postgis() }}geometrytype(geom) in ('LINESTRING', 'MULTILINESTRING')
    group by ano, distribuidora_id, circuito
)

select
    {{ postgis() }}st_length(geom::{{ postgis() }}geography) / 1000 as comprimento_km,
    import_id,
    distribuidora_id,
    ano,
    circuito,
    geom
from linhas
