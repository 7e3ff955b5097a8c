{{ config(materialized='view', barreira=true, contract={'enforced': false}) }}
-- As far as the distributor's own forecast goes: over a missing vintage 24 or 36 months.
with ate as (
    select
        distribuidora_id,
        max(competencia) as competencia
    from {{ ref('previsao_energia') }}
    where nivel = 'distribuidora'
    group by distribuidora_id
),

meses as (
    select
        l.uc_id,
        l.distribuidora_id,
        l.ano,
        m.competencia::date as competencia,
        l.energia_mes[extract(month from m.competencia)::integer] as media,
        l.energia_anual_kwh / nullif(num_nonnulls({{ meses('l.energia_mes') }}), 0)
        * sqrt(extract(year from m.competencia)::integer - l.ano) as vezes
    from {{ ref('mart_lead') }} as l
    left join ate as a on l.distribuidora_id = a.distribuidora_id
    cross join
        lateral generate_series(
            make_date(l.ano + 1, 1, 1)::timestamp,
            greatest(a.competencia, make_date(l.ano + 1, 12, 1))::timestamp, interval '1 month'
        ) as m (competencia)
)

select
    m.uc_id,
    m.distribuidora_id,
    m.competencia,
    {% for nome in ['media', 'inferior_80', 'superior_80', 'inferior_95', 'superior_95'] -%}
    {% set valor = 'm.media' if nome == 'media' else 'm.media + f.' ~ nome ~ ' * m.vezes' -%}
    -- The greatest of nothing and zero is zero.
    case when {{ valor }} is not null then greatest({{ valor }}, 0) end as {{ nome }},
    {% endfor -%}
    'ingenuo_sazonal' as modelo,
    make_date(m.ano, 12, 1) as treinado_ate,
    p.perfil_id
from meses as m
inner join {{ ref('lead_perfil_consumo') }} as p
    on m.uc_id = p.uc_id and m.ano = p.ano and m.distribuidora_id = p.distribuidora_id
left join {{ ref('previsao_faixa') }} as f
    on p.perfil_id = f.perfil_id and m.ano = f.ano and m.distribuidora_id = f.distribuidora_id
