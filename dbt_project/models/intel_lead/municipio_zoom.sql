{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['municipio_id', 'zoom_minimo'],
    on_schema_change='append_new_columns',
    full_refresh=false,
    pre_hook="{{ qualify_geometry() }}",
    post_hook='create index if not exists municipio_zoom_geom_idx on {{ this }} using gist (geom)'
) }}

-- Empty until a mesh lands (loaders malha). A landing draws all municípios anew, under its file's number.
select
    m.municipio_id,
    m.malha_id,
    m.zoom_minimo,
    m.geom::{{ postgis() }}geometry (multipolygon, 3857) as geom
from {{ ref('stg_malha_simplificada') }} as m
inner join {{ ref('municipio') }} as i on m.municipio_id = i.id
{% if so_o_novo() %}
where m.malha_id > (select coalesce(max(feita.malha_id), 0) from {{ this }} as feita)
{% endif %}
