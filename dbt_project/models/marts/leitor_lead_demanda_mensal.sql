{{ config(alias='lead_demanda_mensal', materialized='view', barreira=true) }}
-- depends_on: {{ ref('safra_publicada') }}
select
    m.uc_id,
    m.demanda_total,
    m.demanda_ponta,
    m.demanda_fora_ponta,
    m.demanda_contratada,
    m.distribuidora_id,
    m.origem,
    m.ano,
    m.mes
from {{ ref('lead_demanda_mensal') }} as m
inner join {{ ref('lead_bruto') }} as l
    on m.uc_id = l.uc_id
        and m.ano = l.ano
        and m.distribuidora_id = l.distribuidora_id
inner join {{ ref('classe_consumo') }} as c on l.classe_consumo_id = c.id
where {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }}
