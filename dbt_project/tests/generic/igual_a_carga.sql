{# What `model` holds is what the loader added up over the landed rows, per safra, layer and month: `sum`, or
   `max` where rows of one UC are merged by the greatest (demand). The other side is `carga`, written by Python
   with the import; no macro has a part in both sides. `medidas`: coluna of the model, series of BDGD, and the
   camadas that have them. Sums differ by a tenth (double precision adds in another order), by one part in 10^9
   or not at all; one that is not finite equals nothing: PostgreSQL holds NaN to be above infinity, so that one
   comparison finds both. `safras` (ano, distribuidora_id, import_id): what is under test. #}
{% test igual_a_carga(model, carga, medidas, agregado='sum', tolerancia=0.1, safras=none) %}
with safras_em_teste as (
    {{ safras if safras else safras_em_teste() }}
),

-- A layer's newest import of those that were there when the safra was built.
da_carga as (
    select distinct on (c.ano, c.distribuidora_id, c.camada, c.serie, c.mes) c.*
    from {{ carga }} as c
    inner join safras_em_teste as s
        on
            c.ano = s.ano
            and c.distribuidora_id = s.distribuidora_id
            and c.import_id <= s.import_id
    order by c.ano, c.distribuidora_id, c.camada, c.serie, c.mes, c.import_id desc
),

antes as (
    {% for m in medidas %}
    select
        ano,
        distribuidora_id,
        camada,
        mes,
        '{{ m.coluna }}' as medida,
        {{ 'sum(soma)' if agregado == 'sum' else 'max(maximo)' }} as valor
    from da_carga
    where
        serie in ('{{ m.series | join("', '") }}')
        and camada in ('{{ m.camadas | join("', '") }}')
    group by ano, distribuidora_id, camada, mes
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

agregado as (
    select
        ano,
        distribuidora_id,
        origem::text as camada,
        mes,
        {% for m in medidas %}
        {{ agregado }}({{ m.coluna }}) as {{ m.coluna }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ model }}
    group by ano, distribuidora_id, origem, mes
),

depois as (
    {% for m in medidas %}
    select ano, distribuidora_id, camada, mes, '{{ m.coluna }}' as medida, {{ m.coluna }} as valor
    from agregado
    where camada in ('{{ m.camadas | join("', '") }}')
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    ano,
    distribuidora_id,
    camada,
    mes,
    medida,
    antes.valor as valor_na_carga,
    depois.valor as valor_na_tabela
from antes
full outer join depois using (ano, distribuidora_id, camada, mes, medida)
where
    abs(coalesce(antes.valor, 0) - coalesce(depois.valor, 0))
    > greatest({{ tolerancia }}, 1e-9 * abs(coalesce(antes.valor, 0)))
    {% if agregado != 'sum' %}or (antes.valor is null) <> (depois.valor is null){% endif %}
    or greatest(abs(antes.valor), abs(depois.valor)) >= 'infinity'
{% endtest %}
