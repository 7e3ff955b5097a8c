{{ config(safra_pai='lead_bruto') }}

-- Not written out: without its statistics PostgreSQL takes joins to leave one row (13 k units: 55 s, so 0.2).
with leads as not materialized (
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
),

-- The bill of the year, where tariffs cover it whole. No HAVING: PostgreSQL takes one to leave a row in 200.
contas as (
    select
        uc_id,
        modalidade,
        case when count(*) = 12 then sum(total_brl) end as conta_brl,
        sum(te_brl) as te_brl
    from {{ ref('mart_custo_lead') }}
    group by uc_id, modalidade
),

-- The year's peak energy bought off peak, with what the battery loses of it; and a kW of demand at peak.
deslocamentos as (
    select
        l.uc_id,
        t.modalidade,
        sum(
            l.energia_ponta_mes[t.mes] * (
                t.tusd_ponta_brl_kwh + t.te_ponta_brl_kwh
                - (t.tusd_brl_kwh + t.te_brl_kwh) / {{ parametro('bess_eficiencia') }}
            )
        ) as energia_brl,
        sum(t.demanda_ponta_brl_kw) as kw_brl
    from leads as l
    inner join {{ ref('tarifa_mensal') }} as t
        on
            l.ano = t.ano
            and l.distribuidora_id = t.distribuidora_id
            and l.subgrupo_tarifario_id = t.subgrupo_tarifario_id
    where t.modalidade <> 'convencional' and l.origem <> 'UCBT'
    group by l.uc_id, t.modalidade
),

-- Who is billed as B has another bill once it is back in A: what it would save is not known.
por_modalidade as (
    select
        e.uc_id,
        e.oferta,
        c.modalidade,
        c.conta_brl,
        case e.oferta
            when 'migracao'
                then c.te_brl - l.energia_anual_kwh / 1000 * {{ parametro('preco_energia_livre_brl_mwh') }}
            when 'arbitragem' then d.energia_brl + coalesce(e.potencia_kw * d.kw_brl, 0)
        end as economia_brl
    from dimensionados as e
    inner join leads as l on e.uc_id = l.uc_id
    inner join contas as c on e.uc_id = c.uc_id
    left join deslocamentos as d on c.uc_id = d.uc_id and c.modalidade = d.modalidade
    where e.oferta in ('migracao', 'arbitragem') and not l.optante_b and c.conta_brl is not null
),

economias as (
    select
        uc_id,
        oferta,
        max(economia_brl) filter (where modalidade = 'verde') as verde_brl,
        max(economia_brl) filter (where modalidade = 'azul') as azul_brl,
        (array_agg(economia_brl order by conta_brl, modalidade))[1] as economia_brl
    from por_modalidade
    group by uc_id, oferta
)

select
    e.uc_id,
    e.potencia_kw,
    e.capacidade_kwh,
    case
        when e.oferta = 'arbitragem' and c.economia_brl is not null
            then e.capacidade_kwh * {{ parametro('bess_preco_brl_kwh') }}
    end as investimento_brl,
    c.verde_brl as economia_verde_brl_ano,
    c.azul_brl as economia_azul_brl_ano,
    c.economia_brl as economia_brl_ano,
    case
        when e.oferta = 'arbitragem' and c.economia_brl > 0
            then e.capacidade_kwh * {{ parametro('bess_preco_brl_kwh') }} / c.economia_brl
    end as payback_anos,
    e.distribuidora_id,
    e.ano,
    e.oferta,
    e.via
from dimensionados as e
left join economias as c on e.uc_id = c.uc_id and e.oferta = c.oferta
