{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['ano', 'distribuidora_id', 'subgrupo_tarifario_id'], 'unique': true}]
) }}

-- depends_on: {{ ref('safra_publicada') }}
with {{ celulas_do_resumo('subgrupo', totais=[['ano', 'distribuidora_id']]) }}

select
    r.ano,
    r.distribuidora_id,
    d.nome as distribuidora,
    r.subgrupo_tarifario_id,
    c.descricao as subgrupo_tarifario,
    r.suprimido,
    {{ colunas('r', medidas_novas()) }}
from resumo as r
inner join {{ ref('distribuidora') }} as d on r.distribuidora_id = d.id
left join {{ ref('subgrupo_tarifario') }} as c on r.subgrupo_tarifario_id = c.id
