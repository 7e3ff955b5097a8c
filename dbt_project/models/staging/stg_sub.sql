select
    ano,
    distribuidora_id,
    import_id,
    linha,
    {{ codigo_rede('cod_id') }} as subestacao,
    {{ texto('nome') }} as nome,
    {{ area('geom') }} as geom
from {{ source('raw', 'sub') }}
