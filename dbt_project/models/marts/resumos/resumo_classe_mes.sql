{{ config(
    materialized='materialized_view',
    indexes=[
        {'columns': ['ano', 'distribuidora_id', 'origem', 'classe_consumo_id', 'mes'], 'unique': true}
    ]
) }}

-- depends_on: {{ ref('safra_publicada') }}
with {{ classes_mes_a_mes(ref('safra_classe_mes'), ref('safra_celula')) }}

select
    r.ano,
    r.distribuidora_id,
    d.nome as distribuidora,
    r.origem,
    r.classe_consumo_id,
    c.descricao as classe_consumo,
    c.grupo as classe,
    r.mes,
    r.suprimido,
    r.unidades,
    r.unidades_com_geracao,
    r.energia_kwh,
    r.energia_ponta_kwh
from resumo as r
inner join {{ ref('distribuidora') }} as d on r.distribuidora_id = d.id
left join {{ ref('classe_consumo') }} as c on r.classe_consumo_id = c.id
