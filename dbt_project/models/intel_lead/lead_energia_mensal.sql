{{ config(safra_pai='lead_bruto') }}
-- depends_on: {{ ref('lead_bruto') }}

with series as (
    select * from {{ ref('lead_serie') }}
)

select
    s.uc_id,
    {{ energia_do_mes() }} as energia_total,
    {% if var('energia_ponta_mt') == 'total' -%}
    case s.origem when 'UCMT' then m.total else m.ponta end as energia_ponta,
    {%- else -%}
    m.ponta as energia_ponta,
    {%- endif %}
    m.fora_ponta as energia_fora_ponta,
    s.distribuidora_id,
    s.origem,
    s.ano,
    m.mes::smallint as mes
from series as s,
    unnest(s.energia_total, s.energia_ponta, s.energia_fora_ponta)
    with ordinality as m (total, ponta, fora_ponta, mes)
