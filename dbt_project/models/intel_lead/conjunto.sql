-- depends_on: {{ ref('lead_bruto') }} (it enters an unknown distribuidora, which this one references)
select distinct on (ano, distribuidora_id, conjunto_id)
    conjunto_id,
    distribuidora_id,
    ano,
    nome,
    geom
from {{ ref('stg_conj') }}
where conjunto_id is not null
order by ano, distribuidora_id, conjunto_id, nome
