{{ config(safra_pai='lead_bruto') }}

with leads as (
    select * from {{ ref('lead_mercado') }}
),

elegiveis as (
    select * from {{ ref('lead_elegivel') }}
    where motivo is null
),

calendarios as (
    select
        ano,
        distribuidora_id,
        array_agg(dias_uteis order by mes) as dias_uteis,
        extract(epoch from max(fim_ponta - inicio_ponta)) / 3600 as horas_ponta
    from {{ ref('calendario_mensal') }}
    group by ano, distribuidora_id
),

-- What a battery shifts on a weekday of the month that asks most of it.
deslocaveis as (
    select
        l.uc_id,
        greatest(
            {% for mes in range(1, 13) -%}
            l.energia_ponta_mes[{{ mes }}] / c.dias_uteis[{{ mes }}]{{ ', ' if not loop.last }}
            {%- endfor %}
        ) as energia_dia_kwh,
        c.horas_ponta
    from leads as l
    inner join calendarios as c on l.ano = c.ano and l.distribuidora_id = c.distribuidora_id
),

dimensionados as (
    select
        e.uc_id,
        e.ano,
        e.distribuidora_id,
        e.oferta,
        case e.oferta
            when 'migracao' then l.demanda_contratada_kw
            when 'arbitragem' then coalesce(l.demanda_ponta_kw, d.energia_dia_kwh / d.horas_ponta)
            when 'backup' then l.demanda_maxima_kw
        end as potencia_kw,
        case e.oferta
            when 'arbitragem'
                then
                    d.energia_dia_kwh
                    / ({{ parametro('bess_dod') }} * sqrt({{ parametro('bess_eficiencia') }}))
            -- The unit's mean interruption, at its greatest demand.
            when 'backup'
                then
                    case when l.fic_anual > 0 then l.demanda_maxima_kw * l.dic_anual_h / l.fic_anual end
        end as capacidade_kwh,
        case
            when e.oferta <> 'migracao' then null
            when l.demanda_contratada_kw >= {{ parametro('demanda_min_atacado_kw') }} then 'atacado'
            else 'varejista'
        end as via
    from elegiveis as e
    inner join leads as l on e.uc_id = l.uc_id
    inner join deslocaveis as d on e.uc_id = d.uc_id
)

select
    uc_id,
    potencia_kw,
    capacidade_kwh,
    -- Prices come with the tariffs.
    null::double precision as investimento_brl,
    null::double precision as economia_verde_brl_ano,
    null::double precision as economia_azul_brl_ano,
    null::double precision as economia_brl_ano,
    null::double precision as payback_anos,
    distribuidora_id,
    ano,
    oferta,
    via
from dimensionados
