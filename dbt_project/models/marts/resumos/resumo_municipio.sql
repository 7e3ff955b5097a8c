{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['ano', 'municipio_id'], 'unique': true}]
) }}

-- depends_on: {{ ref('safra_publicada') }}
with celulas as (
    {{ soma_celulas(['ano', 'distribuidora_id', 'municipio_id']) }}
),

municipios as (
    {{ soma_celulas(['ano', 'municipio_id']) }}
),

-- A município of two distributors gives away what is one's alone once the other's part is known.
divididos as (
    select
        ano,
        municipio_id,
        count(*) > 1 and bool_or({{ pequena_de() }}) as divisao_pequena
    from celulas
    where leads_pf > 0
    group by ano, municipio_id
),

pequenos as (
    select
        m.ano,
        m.municipio_id,
        d.divisao_pequena or {{ pequena_de() }} as pequena
    from municipios as m
    inner join divididos as d
        on m.ano = d.ano
            and coalesce(m.municipio_id, 0) = coalesce(d.municipio_id, 0)
),

partes as (
    select
        c.*,
        p.pequena
    from celulas as c
    inner join pequenos as p
        on c.ano = p.ano
            and coalesce(c.municipio_id, 0) = coalesce(p.municipio_id, 0)
),

{{ esconde_complementos('partes', total=['ano', 'distribuidora_id'], parte='municipio_id') }},

escondidos as (
    select
        ano,
        municipio_id,
        bool_or(oculta) as oculta
    from ocultas
    group by ano, municipio_id
),

de_uma_so as (
    select
        c.ano,
        c.municipio_id,
        min(d.nome) as distribuidora
    from celulas as c
    inner join {{ ref('distribuidora') }} as d on c.distribuidora_id = d.id
    group by c.ano, c.municipio_id
    having count(*) = 1
),

{{ medidas_das_celulas('municipio', ['ano', 'municipio_id']) }}

select
    r.ano,
    r.municipio_id,
    r.municipio,
    r.uf,
    coalesce(o.oculta, false) as suprimido,
    case when not coalesce(o.oculta, false) then r.quantidade_leads end as quantidade_leads,
    case when not coalesce(o.oculta, false) then r.energia_anual_kwh end as energia_anual_kwh,
    case when not coalesce(o.oculta, false) then r.energia_ponta_anual_kwh end as energia_ponta_anual_kwh,
    case when not coalesce(o.oculta, false) then r.demanda_contratada_kw end as demanda_contratada_kw,
    case when not coalesce(o.oculta, false) then r.media_dic_anual_h end as media_dic_anual_h,
    case when not coalesce(o.oculta, false) then r.media_fic_anual end as media_fic_anual,
    case when not coalesce(o.oculta, false) then r.leads_livres end as leads_livres,
    case when not coalesce(o.oculta, false) then r.leads_com_geracao end as leads_com_geracao,
    u.distribuidora,
    {{ medidas_mostradas('m', 'o.oculta', medidas_novas(ja=[
        'quantidade_leads', 'energia_anual_kwh', 'demanda_contratada_kw', 'media_dic_anual_h',
        'media_fic_anual', 'leads_livres', 'leads_com_geracao',
    ])) }}
from {{ ref('resumo_energia_por_municipio') }} as r
left join escondidos as o
    on r.ano = o.ano
        and coalesce(r.municipio_id, 0) = coalesce(o.municipio_id, 0)
left join de_uma_so as u
    on r.ano = u.ano
        and coalesce(r.municipio_id, 0) = coalesce(u.municipio_id, 0)
left join medidas as m
    on r.ano = m.ano
        and coalesce(r.municipio_id, 0) = coalesce(m.municipio_id, 0)
