select
    ano,
    distribuidora_id,
    import_id,
    upper({{ texto('sub_grp') }}) as subgrupo,
    {{ vetor('ene') }} as energia
from {{ source('raw', 'pnt') }}
