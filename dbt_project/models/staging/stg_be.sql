select
    ano,
    distribuidora_id,
    import_id,
    upper({{ texto('sub_grp') }}) as subgrupo,
    upper({{ texto('org_ener') }}) as origem_energia,
    {{ vetor('ene') }} as energia
from {{ source('raw', 'be') }}
