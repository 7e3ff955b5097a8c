{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['ano', 'distribuidora_id', 'classe_consumo_id'], 'unique': true}]
) }}

-- depends_on: {{ ref('safra_publicada') }}
with {{ celulas_do_resumo('classe', totais=[['ano', 'distribuidora_id']]) }}

select
    r.ano,
    r.distribuidora_id,
    d.nome as distribuidora,
    r.classe_consumo_id,
    c.descricao as classe_consumo,
    c.grupo as classe,
    r.suprimido,
    {{ colunas('r', medidas_novas()) }}
from resumo as r
inner join {{ ref('distribuidora') }} as d on r.distribuidora_id = d.id
left join {{ ref('classe_consumo') }} as c on r.classe_consumo_id = c.id
