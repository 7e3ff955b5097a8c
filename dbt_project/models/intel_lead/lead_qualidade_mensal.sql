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
        {{ serie_anual(camada, 'dic', 'sum') }} as dic,
        {{ serie_anual(camada, 'fic', 'sum') }} as fic
    from {{ ref('stg_' ~ camada | lower) }}
    -- Model M10 has yearly indicators only; its twelve columns are all null and give no rows.
    where coalesce(
            dic_01, dic_02, dic_03, dic_04, dic_05, dic_06, dic_07, dic_08, dic_09, dic_10,
            dic_11, dic_12, fic_01, fic_02, fic_03, fic_04, fic_05, fic_06, fic_07, fic_08, fic_09, fic_10,
            fic_11, fic_12
        ) is not null
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
    m.dic,
    m.fic,
    a.distribuidora_id,
    a.origem,
    a.ano,
    m.mes::smallint as mes
from anuais as a
cross join lateral unnest(a.dic, a.fic) with ordinality as m (dic, fic, mes)
