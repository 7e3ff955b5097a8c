{{ config(indexes=[{'columns': ['geom'], 'type': 'gist'}]) }}

-- depends_on: {{ ref('lead_bruto') }} (it enters an unknown distribuidora, which this one references)
with linhas as (
    select
        ano,
        distribuidora_id,
        circuito,
        max(import_id) as import_id,
        st_multi(st_linemerge(st_collectionhomogenize(st_collect(geom))))::geometry (multilinestring, 4674) as geom
    from {{ ref('stg_ssdmt') }}
    where
        circuito is not null
        and geometrytype(geom) in ('LINESTRING', 'MULTILINESTRING')
    group by ano, distribuidora_id, circuito
)

select
    st_length(geom::geography) / 1000 as comprimento_km,
    import_id,
    distribuidora_id,
    ano,
    circuito,
    geom
from linhas
