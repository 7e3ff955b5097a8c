{{ config(safra_pai='lead_bruto') }}

with leads as (
    select * from {{ ref('lead_bruto') }}
),

energia as (
    select
        uc_id,
        ano,
        distribuidora_id,
        sum(energia_total) as soma_energia,
        avg(energia_total) as media_energia,
        sum(energia_ponta) as soma_energia_ponta,
        sum(energia_fora_ponta) as soma_energia_fora_ponta
    from {{ ref('lead_energia_mensal') }}
    group by uc_id, ano, distribuidora_id
),

demanda as (
    select
        uc_id,
        ano,
        distribuidora_id,
        max(demanda_total) as maxima_demanda,
        avg(demanda_total) as media_demanda
    from {{ ref('lead_demanda_mensal') }}
    group by uc_id, ano, distribuidora_id
),

qualidade as (
    select
        uc_id,
        ano,
        distribuidora_id,
        sum(dic) as soma_dic,
        avg(dic) as media_dic,
        sum(fic) as soma_fic,
        avg(fic) as media_fic
    from {{ ref('lead_qualidade_mensal') }}
    group by uc_id, ano, distribuidora_id
),

enriquecimento as (
    select
        uc_id,
        ano,
        distribuidora_id,
        bool_and(resultado = 'success') as completo,
        bool_or(resultado = 'success') as algum,
        max(created_at) as data_enriquecimento
    from {{ ref('lead_enrichment_log') }}
    group by uc_id, ano, distribuidora_id
)

select
    l.uc_id,
    e.soma_energia,
    e.media_energia,
    e.soma_energia_ponta,
    e.soma_energia_fora_ponta,
    d.maxima_demanda,
    d.media_demanda,
    coalesce(q.soma_dic, l.dic_anual) as soma_dic,
    coalesce(q.media_dic, l.dic_anual / 12) as media_dic,
    coalesce(q.soma_fic, l.fic_anual) as soma_fic,
    coalesce(q.media_fic, l.fic_anual / 12) as media_fic,
    r.data_enriquecimento,
    l.distribuidora_id,
    l.origem,
    case
        when r.completo then 'success'
        when r.algum then 'partial'
        else 'failed'
    end::intel_lead.resultado_enum as enriquecimento_status,
    l.ano
from leads as l
left join energia as e
    on l.uc_id = e.uc_id and l.ano = e.ano and l.distribuidora_id = e.distribuidora_id
left join demanda as d
    on l.uc_id = d.uc_id and l.ano = d.ano and l.distribuidora_id = d.distribuidora_id
left join qualidade as q
    on l.uc_id = q.uc_id and l.ano = q.ano and l.distribuidora_id = q.distribuidora_id
left join enriquecimento as r
    on l.uc_id = r.uc_id and l.ano = r.ano and l.distribuidora_id = r.distribuidora_id
