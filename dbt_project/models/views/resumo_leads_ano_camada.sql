{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['ano', 'camada'], 'unique': true}]
) }}

-- depends_on: {{ ref('safra_publicada') }}
select
    ano,
    origem as camada,
    count(distinct distribuidora_id) as distribuidoras,
    sum(quantidade_leads)::bigint as quantidade_leads,
    sum(energia_anual_kwh) as energia_anual_kwh,
    sum(demanda_contratada_kw) as demanda_contratada_kw,
    sum(dic_anual_h) / nullif(sum(leads_com_dic), 0) as media_dic_anual_h,
    sum(fic_anual) / nullif(sum(leads_com_fic), 0) as media_fic_anual,
    sum(leads_livres)::bigint as leads_livres
from {{ ref('safra_resumo') }}
group by ano, origem
