{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['ano', 'distribuidora_id'], 'unique': true}]
) }}

-- depends_on: {{ ref('safra_publicada') }}
with celulas as (
    {{ soma_celulas(['ano', 'distribuidora_id']) }}
),

partes as (
    select
        *,
        {{ pequena_de() }} as pequena
    from celulas
),

{{ esconde_complementos('partes', total=['ano'], parte='distribuidora_id') }},

{{ medidas_das_celulas('municipio', ['ano', 'distribuidora_id']) }}

select
    r.ano,
    r.distribuidora_id,
    r.distribuidora,
    coalesce(o.oculta, false) as suprimido,
    case when not coalesce(o.oculta, false) then r.quantidade_leads end as quantidade_leads,
    case when not coalesce(o.oculta, false) then r.municipios end as municipios,
    case when not coalesce(o.oculta, false) then r.energia_anual_kwh end as energia_anual_kwh,
    case when not coalesce(o.oculta, false) then r.demanda_contratada_kw end as demanda_contratada_kw,
    case when not coalesce(o.oculta, false) then r.media_dic_anual_h end as media_dic_anual_h,
    case when not coalesce(o.oculta, false) then r.media_fic_anual end as media_fic_anual,
    case when not coalesce(o.oculta, false) then r.leads_livres end as leads_livres,
    case when not coalesce(o.oculta, false) then r.leads_com_geracao end as leads_com_geracao,
    case when not coalesce(o.oculta, false) then r.leads_enriquecidos end as leads_enriquecidos,
    {{ medidas_mostradas('m', 'o.oculta', medidas_novas(ja=[
        'quantidade_leads', 'energia_anual_kwh', 'demanda_contratada_kw', 'media_dic_anual_h',
        'media_fic_anual', 'leads_livres', 'leads_com_geracao',
    ])) }}
from {{ ref('resumo_leads_distribuidora') }} as r
left join ocultas as o on r.ano = o.ano and r.distribuidora_id = o.distribuidora_id
left join medidas as m on r.ano = m.ano and r.distribuidora_id = m.distribuidora_id
