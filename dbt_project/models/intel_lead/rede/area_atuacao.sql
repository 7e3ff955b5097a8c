-- depends_on: {{ ref('lead_bruto') }} (it enters an unknown distribuidora, which this one references)
select distinct on (ano, distribuidora_id, area_atuacao)
    import_id,
    distribuidora_id,
    ano,
    area_atuacao,
    geom
from {{ ref('stg_arat') }}
order by ano asc, distribuidora_id asc, area_atuacao asc, linha desc
