{{ config(safra_pai='lead_bruto') }}
-- depends_on: {{ ref('lead_bruto') }}

-- The rows of one UC are merged: energy, DIC and FIC are summed; of demand the greatest counts, because the
-- rows cover disjoint months, with zero in the others.
with
{% for camada in camadas_uc() %}
{{ camada | lower }} as (
    select
        uc_id,
        ano,
        distribuidora_id,
        origem,
        {{ series_da_camada(camada) }}
    from {{ ref('stg_' ~ camada | lower) }}
    group by uc_id, ano, distribuidora_id, origem
),
{% endfor %}

series as (
    {% for camada in camadas_uc() %}
    select * from {{ camada | lower }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    uc_id,
    distribuidora_id,
    origem,
    ano,
    energia_total,
    energia_ponta,
    energia_fora_ponta,
    demanda_total,
    demanda_ponta,
    demanda_fora_ponta,
    {{ sem_serie_vazia('dic') }} as dic,
    {{ sem_serie_vazia('fic') }} as fic
from series
-- The monthly tables open in this order: a primary key built from sorted rows takes 3.6 s, not 5.8.
order by uc_id
