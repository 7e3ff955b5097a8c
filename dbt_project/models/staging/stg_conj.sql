select
    ano,
    distribuidora_id,
    case when btrim(cod_id) ~ '^\d{1,9}$' then btrim(cod_id)::integer end as conjunto_id,
    {{ texto('nome') }} as nome,
    {{ area('geom') }} as geom
from {{ source('raw', 'conj') }}
