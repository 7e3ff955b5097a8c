{{ config(materialized='view', barreira=true, contract={'enforced': false}) }}
-- depends_on: {{ ref('safra_publicada') }}
select
    f.uc_id,
    f.ano,
    f.distribuidora_id,
    f.perfil_id,
    k.perfil,
    k.grupo,
    f.silhueta
from {{ ref('lead_perfil_consumo') }} as f
-- Leads: of legal persons, active.
inner join {{ ref('mart_lead_safra') }} as l
    on f.uc_id = l.uc_id and f.ano = l.ano and f.distribuidora_id = l.distribuidora_id
inner join {{ ref('mart_perfil_consumo') }} as k
    on f.perfil_id = k.perfil_id and f.ano = k.ano and f.distribuidora_id = k.distribuidora_id
