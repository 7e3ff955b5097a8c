select
    ano,
    distribuidora_id,
    import_id,
    linha,
    {{ codigo_rede('ctmt') }} as circuito,
    {{ texto('mun') }} as mun,
    {{ vetor('ene') }} as energia
from {{ source('raw', 'pip') }}
