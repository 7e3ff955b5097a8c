{# Units of a profile that are looked at: two thousand say as much of its spread as all. #}
{%- set bastam = 2000 %}
{#- Units that both safras must have before one year says how far the next one goes. #}
{%- set pares = 30 %}
{#- Units below which nothing is said: of one alone there would be no spread at all. #}
{%- set poucas = 5 %}
{%- set quantis = 'array[0.025, 0.1, 0.9, 0.975]' %}
-- How far a month of a lead goes from the same month a year before, as a part of its mean month: units of its
-- profile lend it that (mart_previsao_lead).
with unidades as (
    select
        f.uc_id,
        f.ano,
        f.distribuidora_id,
        f.perfil_id,
        l.origem,
        l.cod_id,
        l.chave_origem,
        p.energia_mes,
        p.energia_anual_kwh / num_nonnulls({{ meses('p.energia_mes') }}) as media,
        row_number() over (
            partition by f.ano, f.distribuidora_id, f.perfil_id
            order by f.uc_id
        ) as ordem
    from {{ ref('lead_perfil_consumo') }} as f
    inner join {{ ref('lead_perfil') }} as p on f.uc_id = p.uc_id
    inner join {{ ref('lead_bruto') }} as l on f.uc_id = l.uc_id
    where f.medidas is not null
),

escolhidas as (
    select * from unidades
    where ordem <= {{ bastam }}
),

anteriores as (
    select
        p.uc_id,
        p.ano,
        p.distribuidora_id,
        f.perfil_id,
        p.energia_mes,
        p.energia_anual_kwh / num_nonnulls({{ meses('p.energia_mes') }}) as media
    from {{ source('publicado', 'lead_perfil_anterior') }} as p
    inner join {{ source('publicado', 'lead_perfil_consumo_anterior') }} as f on p.uc_id = f.uc_id
    where f.medidas is not null
),

ano_anterior as (
    select
        distribuidora_id,
        max(ano) as ano
    from anteriores
    group by distribuidora_id
),

-- The key that a unit had in that year: a file without COD_ID numbers its rows, and a number is no unit's.
chaves_anteriores as (
    select
        c.ano_agora,
        c.energia_mes,
        {{ uc_id_da_origem() }} as uc_id
    from (
        select
            e.ano as ano_agora,
            e.energia_mes,
            e.origem,
            e.cod_id,
            e.distribuidora_id,
            a.ano
        from escolhidas as e
        inner join ano_anterior as a on e.distribuidora_id = a.distribuidora_id
        where e.chave_origem = 'cod_id' and a.ano < e.ano
    ) as c
),

meses_de_agora as (
    select
        e.ano,
        e.distribuidora_id,
        e.perfil_id,
        m.mes,
        m.kwh / e.media as forma
    from escolhidas as e
    cross join lateral unnest(e.energia_mes) with ordinality as m (kwh, mes)
),

-- A month of the earlier safra, by the profile that the unit had in it, and what came of it.
meses_de_antes as (
    select
        a.uc_id,
        c.ano_agora as ano,
        a.distribuidora_id,
        a.perfil_id,
        m.mes,
        m.kwh,
        m.antes,
        m.antes / a.media as forma,
        (m.kwh - m.antes) / a.media / sqrt(c.ano_agora - a.ano) as mudou
    from anteriores as a
    inner join chaves_anteriores as c on a.uc_id = c.uc_id
    cross join lateral unnest(c.energia_mes, a.energia_mes) with ordinality as m (kwh, antes, mes)
),

-- Of one safra there is no year to come: then how far a month is from its profile's season, times the root of
-- two, for the month that is copied and the one that comes would both be so far (as in forecasting/naive.py).
{% for meses_de in ['meses_de_agora', 'meses_de_antes'] -%}
tipicos_{{ loop.index }} as (
    select
        ano,
        distribuidora_id,
        perfil_id,
        mes,
        percentile_cont(0.5) within group (order by forma) as forma
    from {{ meses_de }}
    group by ano, distribuidora_id, perfil_id, mes
),

estacao_{{ loop.index }} as (
    select
        m.ano,
        m.distribuidora_id,
        m.perfil_id,
        percentile_cont({{ quantis }}) within group (order by sqrt(2) * (m.forma - t.forma)) as faixa
    from {{ meses_de }} as m
    inner join tipicos_{{ loop.index }} as t
        on
            m.ano = t.ano
            and m.distribuidora_id = t.distribuidora_id
            and m.perfil_id = t.perfil_id
            and m.mes = t.mes
    group by m.ano, m.distribuidora_id, m.perfil_id
),

{% endfor -%}
contadas as (
    select
        ano,
        distribuidora_id,
        perfil_id,
        count(*) as unidades
    from escolhidas
    group by ano, distribuidora_id, perfil_id
),

-- What the naive with the earlier safra's interval would have said of this one: neither has seen it.
mudancas as (
    select
        m.ano,
        m.distribuidora_id,
        m.perfil_id,
        count(distinct m.uc_id) as nas_duas,
        percentile_cont({{ quantis }}) within group (order by m.mudou) as faixa,
        count(m.mudou) as meses_testados,
        avg(abs(m.kwh - m.antes)) as mae,
        100 * avg(abs(m.kwh - m.antes) / nullif(greatest(m.kwh, 0), 0)) as mape,
        100 * avg(2 * abs(m.kwh - m.antes) / nullif(abs(m.kwh) + abs(m.antes), 0)) as smape,
        case
            when count(distinct m.uc_id) >= {{ poucas }}
                then avg((m.mudou between least(e.faixa[2], 0) and greatest(e.faixa[3], 0))::integer)
        end::double precision as cobertura_80,
        case
            when count(distinct m.uc_id) >= {{ poucas }}
                then avg((m.mudou between least(e.faixa[1], 0) and greatest(e.faixa[4], 0))::integer)
        end::double precision as cobertura_95
    from meses_de_antes as m
    inner join estacao_2 as e
        on m.ano = e.ano and m.distribuidora_id = e.distribuidora_id and m.perfil_id = e.perfil_id
    group by m.ano, m.distribuidora_id, m.perfil_id
)

select
    c.unidades,
    coalesce(m.nas_duas, 0) as nas_duas,
    {% for nome in ['inferior_95', 'inferior_80', 'superior_80', 'superior_95'] -%}
    case
        when m.nas_duas >= {{ pares }}
            then {{ 'least' if 'inferior' in nome else 'greatest' }}(m.faixa[{{ loop.index }}], 0)
        when c.unidades >= {{ poucas }}
            then {{ 'least' if 'inferior' in nome else 'greatest' }}(e.faixa[{{ loop.index }}], 0)
    end as {{ nome }},
    {% endfor -%}
    coalesce(m.meses_testados, 0) as meses_testados,
    m.mae,
    m.mape,
    m.smape,
    m.cobertura_80,
    m.cobertura_95,
    c.distribuidora_id,
    c.ano,
    c.perfil_id
from contadas as c
inner join estacao_1 as e
    on c.ano = e.ano and c.distribuidora_id = e.distribuidora_id and c.perfil_id = e.perfil_id
left join mudancas as m
    on c.ano = m.ano and c.distribuidora_id = m.distribuidora_id and c.perfil_id = m.perfil_id
