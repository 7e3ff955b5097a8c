{{ config(alias='lead_energia_mensal', materialized='view', barreira=true) }}
-- depends_on: {{ ref('safra_publicada') }}
select
    m.uc_id,
    m.energia_total,
    m.energia_ponta,
    m.energia_fora_ponta,
    m.distribuidora_id,
    m.origem,
    m.ano,
    m.mes
from {{ ref('lead_energia_mensal') }} as m
inner join {{ ref('lead_bruto') }} as l
    on m.uc_id = l.uc_id
        and m.ano = l.ano
        and m.distribuidora_id = l.distribuidora_id
inner join {{ ref('classe_consumo') }} as c on l.classe_consumo_id = c.id
where {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }}
