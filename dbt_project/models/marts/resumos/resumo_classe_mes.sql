{{ config(
    materialized='materialized_view',
    indexes=[
        {'columns': ['ano', 'distribuidora_id', 'origem', 'classe_consumo_id', 'mes'], 'unique': true}
    ]
) }}
{%- set chaves = ['ano', 'distribuidora_id', 'origem', 'classe_consumo_id'] %}

-- depends_on: {{ ref('safra_publicada') }}
with meses as (
    select * from {{ ref('safra_classe_mes') }}
),

-- The year stands as month 0: what is hidden of one month is hidden of all, or the year would give it away.
celulas as (
    select
        {{ chaves | join(', ') }},
        mes,
        unidades as leads,
        unidades_pf as leads_pf,
        energia_kwh as energia,
        maior_energia_kwh as maior
    from meses
    union all
    select
        {{ chaves | join(', ') }},
        0 as mes,
        quantidade_leads as leads,
        leads_pf,
        energia_anual_kwh as energia,
        maior_energia_anual_kwh as maior
    from {{ ref('safra_celula') }}
    where dimensao = 'classe'
),

-- Totals that readers have: the class's in resumo_classe, the layer's in resumo_camada, the feeders' months.
{{ esconde_em_totais('celulas', chaves + ['mes'], [
    ['ano', 'distribuidora_id', 'mes', 'classe_consumo_id'],
    ['ano', 'distribuidora_id', 'mes', 'origem'],
    ['ano', 'distribuidora_id', 'mes'],
]) }},

classes_ocultas as (
    select
        {{ chaves | join(', ') }},
        bool_or(oculta) as oculta
    from escondidas
    group by {{ chaves | join(', ') }}
),

resumo as (
    select
        m.ano,
        m.distribuidora_id,
        m.origem,
        m.classe_consumo_id,
        m.mes,
        coalesce(o.oculta, false) as suprimido,
        {{ medidas_mostradas(
            'm', 'o.oculta', ['unidades', 'unidades_com_geracao', 'energia_kwh', 'energia_ponta_kwh']
        ) }}
    from meses as m
    left join classes_ocultas as o on {{ mesma_chave('m', 'o', chaves) }}
)

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
