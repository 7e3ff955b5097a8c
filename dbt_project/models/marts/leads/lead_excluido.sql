{{ config(safra_pai='lead_bruto') }}

select
    uc_id,
    distribuidora_id,
    ano,
    oferta,
    motivo
from {{ ref('lead_elegivel') }}
where motivo is not null
