{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['ano', 'distribuidora_id', 'segmento_mercado_id'], 'unique': true}]
) }}

-- depends_on: {{ ref('safra_publicada') }}
with {{ celulas_do_resumo('segmento', totais=[['ano', 'distribuidora_id']]) }}

select
    r.ano,
    r.distribuidora_id,
    d.nome as distribuidora,
    r.segmento_mercado_id,
    c.descricao as segmento_mercado,
    r.suprimido,
    {{ colunas('r', medidas_novas()) }}
from resumo as r
inner join {{ ref('distribuidora') }} as d on r.distribuidora_id = d.id
left join {{ ref('segmento_mercado') }} as c on r.segmento_mercado_id = c.id
