{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['ano', 'distribuidora_id', 'conjunto_id'], 'unique': true}]
) }}

-- depends_on: {{ ref('safra_publicada') }}
with {{ celulas_do_resumo('conjunto', totais=[['ano', 'distribuidora_id']]) }}

select
    r.ano,
    r.distribuidora_id,
    d.nome as distribuidora,
    r.conjunto_id,
    c.nome as conjunto,
    r.suprimido,
    {{ colunas('r', medidas_novas()) }}
from resumo as r
inner join {{ ref('distribuidora') }} as d on r.distribuidora_id = d.id
left join {{ ref('conjunto') }} as c
    on
        r.ano = c.ano
        and r.distribuidora_id = c.distribuidora_id
        and r.conjunto_id = c.conjunto_id
