with leads as (
    select
        l.*,
        not {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }} as pessoa_fisica
    from {{ ref('lead_bruto') }} as l
    left join {{ ref('classe_consumo') }} as c on l.classe_consumo_id = c.id
),

anual as (
    select * from {{ ref('lead_resumo_anual') }}
)

select
    count(*) as quantidade_leads,
    sum(a.energia_anual_kwh) as energia_anual_kwh,
    sum(a.energia_ponta_anual_kwh) as energia_ponta_anual_kwh,
    sum(a.energia_fora_ponta_anual_kwh) as energia_fora_ponta_anual_kwh,
    sum(l.pac) as demanda_contratada_kw,
    sum(l.carga_instalada_kw) as carga_instalada_kw,
    sum(a.dic_anual_h) as dic_anual_h,
    sum(a.fic_anual) as fic_anual,
    count(a.dic_anual_h) as leads_com_dic,
    count(*) filter (where l.livre) as leads_livres,
    count(*) filter (where l.possui_geracao) as leads_com_geracao,
    count(*) filter (where a.enriquecimento_status = 'success') as leads_enriquecidos,
    l.distribuidora_id,
    l.municipio_id,
    l.origem,
    l.ano,
    count(*) filter (where l.pessoa_fisica) as leads_pf,
    max(a.energia_anual_kwh) as maior_energia_anual_kwh
from leads as l
inner join anual as a
    on l.uc_id = a.uc_id and l.ano = a.ano and l.distribuidora_id = a.distribuidora_id
group by l.distribuidora_id, l.municipio_id, l.origem, l.ano
