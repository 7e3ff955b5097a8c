{{ config(safra_pai='lead_bruto') }}

with leads as (
    select * from {{ ref('lead_bruto') }}
),

series as (
    select * from {{ ref('lead_serie') }}
),

enriquecimento as (
    select
        g.uc_id,
        bool_and(g.resultado = 'success') filter (where t.conta) as completo,
        bool_or(g.resultado = 'success') as algum,
        max(g.created_at) as data_enriquecimento
    from {{ ref('lead_enrichment_log') }} as g
    left join {{ ref('enriquecimento_etapa') }} as t on g.etapa = t.id
    group by g.uc_id
),

anuais as (
    select
        s.uc_id,
        m.*
    from series as s,
        lateral (
            select
                sum({{ energia_do_mes() }}) as energia_anual_kwh,
                avg({{ energia_do_mes() }}) as media_energia,
                sum(m.ponta) as energia_ponta_anual_kwh,
                sum(m.fora_ponta) as energia_fora_ponta_anual_kwh,
                max(coalesce(m.demanda, greatest(m.demanda_ponta, m.demanda_fora))) as maxima_demanda,
                avg(coalesce(m.demanda, greatest(m.demanda_ponta, m.demanda_fora))) as media_demanda,
                sum(m.dic) as dic_anual_h,
                avg(m.dic) as media_dic,
                sum(m.fic) as fic_anual,
                avg(m.fic) as media_fic
            from
                unnest(
                    s.energia_total, s.energia_ponta, s.energia_fora_ponta,
                    s.demanda_total, s.demanda_ponta, s.demanda_fora_ponta, s.dic, s.fic
                ) as m (total, ponta, fora_ponta, demanda, demanda_ponta, demanda_fora, dic, fic)
        ) as m
)

select
    l.uc_id,
    a.energia_anual_kwh,
    a.media_energia,
    a.energia_ponta_anual_kwh,
    a.energia_fora_ponta_anual_kwh,
    a.maxima_demanda,
    a.media_demanda,
    coalesce(a.dic_anual_h, l.dic_anual) as dic_anual_h,
    coalesce(a.media_dic, l.dic_anual / 12) as media_dic,
    coalesce(a.fic_anual, l.fic_anual) as fic_anual,
    coalesce(a.media_fic, l.fic_anual / 12) as media_fic,
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
inner join anuais as a on l.uc_id = a.uc_id
inner join enriquecimento as r on l.uc_id = r.uc_id
