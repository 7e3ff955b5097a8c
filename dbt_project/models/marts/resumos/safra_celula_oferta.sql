{{ config(materialized='safra', schema='intel_lead', grants={'select': ['analista']}) }}

-- Beside safra_celula, because it reads what marts makes of leads.
with leads as (
    select * from {{ ref('lead_mercado') }}
),

scores as (
    select * from {{ ref('mart_lead_score') }}
)

select
    count(*) as leads,
    sum(s.score) as soma_score,
    l.distribuidora_id,
    l.municipio_id,
    l.conjunto_id,
    l.ano,
    {{ dimensao_do_grupo() }} as dimensao,
    s.oferta,
    l.bairro,
    l.segmento_mercado_id,
    l.subgrupo_tarifario_id,
    l.classe_consumo_id
from leads as l
inner join scores as s
    on l.uc_id = s.uc_id and l.ano = s.ano and l.distribuidora_id = s.distribuidora_id
group by {{ grupos_do_resumo(['l.ano', 'l.distribuidora_id', 's.oferta']) }}
