-- What the landed rows say, straight from raw: the left side of every conservation test.
{% for camada in camadas_uc() %}
select
    count(*) as linhas,
    sum(m.kwh) as energia_kwh,
    s.distribuidora_id,
    '{{ camada }}'::intel_lead.origem_enum as origem,
    s.ano,
    m.mes::smallint as mes
from {{ source('raw', camada | lower) }} as s
cross join lateral (
    {% for mes in range(1, 13) %}
    {%- set mm = '%02d' | format(mes) %}
    select
        {{ mes }} as mes,
        {% if camada == 'UCAT' -%}
        coalesce(s.ene_p_{{ mm }} + s.ene_f_{{ mm }}, s.ene_p_{{ mm }}, s.ene_f_{{ mm }})
        {%- else -%}
        s.ene_{{ mm }}
        {%- endif %} as kwh
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
) as m
group by s.distribuidora_id, s.ano, m.mes
{% if not loop.last %}union all{% endif %}
{% endfor %}
