select
    ano,
    distribuidora_id,
    import_id,
    linha,
    coalesce({{ texto('cod_id') }}, 'linha-' || linha) as area_atuacao,
    {{ area('geom') }} as geom
from {{ source('raw', 'arat') }}
