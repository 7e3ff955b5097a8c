{{ config(alias='lead_enrichment_log', materialized='view', barreira=true) }}
-- depends_on: {{ ref('safra_publicada') }}
select
    e.uc_id,
    e.created_at,
    e.distribuidora_id,
    e.resultado,
    e.ano,
    e.etapa,
    e.detalhes
from {{ ref('lead_enrichment_log') }} as e
inner join {{ ref('lead_bruto') }} as l
    on e.uc_id = l.uc_id
        and e.ano = l.ano
        and e.distribuidora_id = l.distribuidora_id
inner join {{ ref('classe_consumo') }} as c on l.classe_consumo_id = c.id
where {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }}
