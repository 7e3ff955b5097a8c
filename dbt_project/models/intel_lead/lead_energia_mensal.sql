{{ config(safra_pai='lead_bruto') }}
-- depends_on: {{ ref('lead_bruto') }}

with
{% for camada in camadas_uc() %}
{{ camada | lower }} as (
    select
        uc_id,
        ano,
        distribuidora_id,
        origem,
        {{ energia_anual(camada, 'sum') }}
    from {{ ref('stg_' ~ camada | lower) }}
    group by uc_id, ano, distribuidora_id, origem
),
{% endfor %}

anuais as (
    {% for camada in camadas_uc() %}
    select * from {{ camada | lower }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    a.uc_id,
    {{ energia_do_mes() }} as energia_total,
    {% if var('energia_ponta_mt') == 'total' -%}
    case a.origem when 'UCMT' then m.total else m.ponta end as energia_ponta,
    {%- else -%}
    m.ponta as energia_ponta,
    {%- endif %}
    m.fora_ponta as energia_fora_ponta,
    a.distribuidora_id,
    a.origem,
    a.ano,
    m.mes::smallint as mes
from anuais as a
cross join
    lateral unnest(a.energia_total, a.energia_ponta, a.energia_fora_ponta)
    with ordinality as m (total, ponta, fora_ponta, mes)
