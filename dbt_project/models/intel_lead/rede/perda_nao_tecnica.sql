-- depends_on: {{ ref('lead_bruto') }} (it enters an unknown distribuidora, which this one references)
with somas as (
    select
        ano,
        distribuidora_id,
        subgrupo,
        max(import_id) as import_id,
        {{ soma_vetor('energia') }} as energia_mes_mwh
    from {{ ref('stg_pnt') }}
    where subgrupo is not null
    group by ano, distribuidora_id, subgrupo
)

select
    {{ total_vetor('energia_mes_mwh') }} as energia_anual_mwh,
    import_id,
    distribuidora_id,
    ano,
    subgrupo,
    energia_mes_mwh
from somas
