select
    ano,
    distribuidora_id,
    import_id,
    {{ codigo_rede('ctmt') }} as circuito,
    geom
from {{ source('raw', 'ssdmt') }}
