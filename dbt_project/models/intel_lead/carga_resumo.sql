-- What the landed rows say, straight from raw: rows and energy of each month, for people. What the tests of
-- conservation compare with is controle.carga_soma, which no macro has a part in.
with
{% for camada in camadas_uc() %}
{{ camada | lower }} as (
    select
        count(*) as linhas,
        ano,
        distribuidora_id,
        '{{ camada }}'::intel_lead.origem_enum as origem,
        {{ energia_anual(camada, 'sum') }}
    from {{ source('raw', camada | lower) }}
    group by ano, distribuidora_id
){{ ',' if not loop.last }}
{% endfor %},

camadas as (
    {% for camada in camadas_uc() %}
    select * from {{ camada | lower }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    c.linhas,
    {{ energia_do_mes() }} as energia_kwh,
    c.distribuidora_id,
    c.origem,
    c.ano,
    m.mes::smallint as mes
from camadas as c,
    unnest(c.energia_total, c.energia_ponta, c.energia_fora_ponta)
    with ordinality as m (total, ponta, fora_ponta, mes)
