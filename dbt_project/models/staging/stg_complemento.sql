-- Of a unit's rows the current one, as in lead_bruto; one without a place says nothing.
select distinct on (origem, uc)
    ano,
    distribuidora_id,
    import_id,
    linha,
    origem,
    uc as cod_id,
    {{ coordenada('point_y') }} as latitude,
    {{ coordenada('point_x') }} as longitude
from {{ source('raw', 'complemento') }}
where correspondencia is not null and {{ coordenada('point_x') }} is not null
order by origem asc, uc asc, ({{ texto('sit_ativ') }} = 'AT') desc nulls last, linha desc
