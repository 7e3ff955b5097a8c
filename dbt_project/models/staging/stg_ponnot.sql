select
    ano,
    distribuidora_id,
    import_id,
    linha,
    {{ texto('cod_id') }} as cod_id,
    {{ texto('tip_pn') }} as tip_pn,
    {{ texto('mun') }} as mun,
    {{ texto('are_loc') }} as are_loc,
    nullif(conj, 0) as conjunto_id,
    point_y as latitude,
    point_x as longitude
from {{ source('raw', 'ponnot') }}
