-- depends_on: {{ ref('lead_bruto') }} (it enters an unknown distribuidora, which this one references)
with pontos as (
    select
        p.*,
        m.id as municipio_id
    from {{ ref('stg_pip') }} as p
    left join {{ ref('municipio') }} as m on p.mun = m.id::text
),

somas as (
    select
        ano,
        distribuidora_id,
        circuito,
        municipio_id,
        count(*) as pontos,
        max(import_id) as import_id,
        {{ soma_vetor('energia') }} as energia_mes
    from pontos
    group by ano, distribuidora_id, circuito, municipio_id
)

select
    pontos,
    import_id,
    {{ total_vetor('energia_mes') }} as energia_anual_kwh,
    distribuidora_id,
    municipio_id,
    ano,
    circuito,
    energia_mes
from somas
