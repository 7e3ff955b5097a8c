-- depends_on: {{ ref('lead_bruto') }} (it enters an unknown distribuidora, which this one references)
select distinct on (ano, distribuidora_id, subestacao)
    import_id,
    distribuidora_id,
    ano,
    subestacao,
    nome,
    geom
from {{ ref('stg_sub') }}
where subestacao is not null
order by ano asc, distribuidora_id asc, subestacao asc, linha desc
