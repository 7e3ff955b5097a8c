select
    codigo as municipio_id,
    malha_id,
    {{ postgis() }}st_geomfromwkb(geom, 4674) as geom
from {{ source('ibge', 'malha_municipio') }}
