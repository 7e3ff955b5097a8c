{{ config(safra_pai='lead_bruto') }}

-- Rows of one UC cover disjoint months, with zero in the others: the month's maximum is its measurement.
with
{% for camada in ['UCAT', 'UCMT'] %}
{{ camada | lower }} as (
    select
        uc_id,
        ano,
        distribuidora_id,
        origem,
        {{ serie_anual(camada, 'demanda_total', 'max') }} as demanda_total,
        {{ serie_anual(camada, 'demanda_ponta', 'max') }} as demanda_ponta,
        {{ serie_anual(camada, 'demanda_fora_ponta', 'max') }} as demanda_fora_ponta
    from {{ ref('stg_' ~ camada | lower) }}
    group by uc_id, ano, distribuidora_id, origem
),
{% endfor %}

anuais as (
    select * from ucat
    union all
    select * from ucmt
),

leads as (
    select * from {{ ref('lead_bruto') }}
)

select
    a.uc_id,
    coalesce(m.total, greatest(m.ponta, m.fora_ponta)) as demanda_total,
    m.ponta as demanda_ponta,
    m.fora_ponta as demanda_fora_ponta,
    l.pac as demanda_contratada,
    a.distribuidora_id,
    a.origem,
    a.ano,
    m.mes::smallint as mes
from anuais as a
inner join leads as l
    on a.uc_id = l.uc_id
        and a.ano = l.ano
        and a.distribuidora_id = l.distribuidora_id
cross join
    lateral unnest(a.demanda_total, a.demanda_ponta, a.demanda_fora_ponta)
    with ordinality as m (total, ponta, fora_ponta, mes)
