{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['ano', 'distribuidora_id'], 'unique': true}]
) }}

-- depends_on: {{ ref('safra_publicada') }}
select
    s.ano,
    s.distribuidora_id,
    d.nome as distribuidora,
    sum(s.quantidade_leads)::bigint as quantidade_leads,
    count(distinct s.municipio_id) as municipios,
    sum(s.energia_anual_kwh) as energia_anual_kwh,
    sum(s.demanda_contratada_kw) as demanda_contratada_kw,
    sum(s.dic_anual_h) / nullif(sum(s.leads_com_dic), 0) as media_dic_anual_h,
    sum(s.fic_anual) / nullif(sum(s.leads_com_fic), 0) as media_fic_anual,
    sum(s.leads_livres)::bigint as leads_livres,
    sum(s.leads_com_geracao)::bigint as leads_com_geracao,
    sum(s.leads_enriquecidos)::bigint as leads_enriquecidos
from {{ ref('safra_resumo') }} as s
inner join {{ ref('distribuidora') }} as d on s.distribuidora_id = d.id
group by s.ano, s.distribuidora_id, d.nome
