select
    codigo as municipio_id,
    zoom_minimo,
    malha_id,
    {{ postgis() }}st_setsrid({{ postgis() }}st_geomfromwkb(geom), 3857) as geom
from {{ source('ibge', 'malha_simplificada') }}
