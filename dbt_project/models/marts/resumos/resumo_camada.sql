{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['ano', 'camada'], 'unique': true}]
) }}

-- depends_on: {{ ref('safra_publicada') }}
with celulas as (
    {{ soma_celulas(['ano', 'origem']) }}
),

partes as (
    select
        *,
        {{ pequena_de() }} as pequena
    from celulas
),

{{ esconde_complementos('partes', total=['ano'], parte='origem') }}

select
    r.ano,
    r.camada,
    coalesce(o.oculta, false) as suprimido,
    case when not coalesce(o.oculta, false) then r.distribuidoras end as distribuidoras,
    case when not coalesce(o.oculta, false) then r.quantidade_leads end as quantidade_leads,
    case when not coalesce(o.oculta, false) then r.energia_anual_kwh end as energia_anual_kwh,
    case when not coalesce(o.oculta, false) then r.demanda_contratada_kw end as demanda_contratada_kw,
    case when not coalesce(o.oculta, false) then r.media_dic_anual_h end as media_dic_anual_h,
    case when not coalesce(o.oculta, false) then r.media_fic_anual end as media_fic_anual,
    case when not coalesce(o.oculta, false) then r.leads_livres end as leads_livres
from {{ ref('resumo_leads_ano_camada') }} as r
left join ocultas as o on r.ano = o.ano and r.camada = o.origem
