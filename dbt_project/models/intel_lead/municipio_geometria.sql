{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='municipio_id',
    on_schema_change='append_new_columns',
    full_refresh=false,
    pre_hook="{{ qualify_geometry() }}",
    post_hook='create index if not exists municipio_geometria_geom_idx on {{ this }} using gist (geom)'
) }}

-- Empty until a mesh lands (loaders malha). A file's number grows; a município has the newest file's.
select
    m.municipio_id,
    m.malha_id,
    m.geom::{{ postgis() }}geometry (multipolygon, 4674) as geom,
    {{ area(simplificado('m.geom')) }} as geom_simples
from {{ ref('stg_malha_municipio') }} as m
inner join {{ ref('municipio') }} as i on m.municipio_id = i.id
{% if so_o_novo() %}
where m.malha_id > (select coalesce(max(feita.malha_id), 0) from {{ this }} as feita)
{% endif %}
