{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['ano', 'municipio_id'], 'unique': true}]
) }}

-- depends_on: {{ ref('safra_publicada') }}
select
    s.ano,
    s.municipio_id,
    m.nome as municipio,
    m.uf,
    sum(s.quantidade_leads)::bigint as quantidade_leads,
    sum(s.energia_anual_kwh) as energia_anual_kwh,
    sum(s.energia_ponta_anual_kwh) as energia_ponta_anual_kwh,
    sum(s.demanda_contratada_kw) as demanda_contratada_kw,
    sum(s.dic_anual_h) / nullif(sum(s.leads_com_dic), 0) as media_dic_anual_h,
    sum(s.fic_anual) / nullif(sum(s.leads_com_fic), 0) as media_fic_anual,
    sum(s.leads_livres)::bigint as leads_livres,
    sum(s.leads_com_geracao)::bigint as leads_com_geracao
from {{ ref('safra_resumo') }} as s
left join {{ ref('municipio') }} as m on s.municipio_id = m.id
group by s.ano, s.municipio_id, m.nome, m.uf
