{{ config(safra_pai='lead_bruto') }}

with leads as (
    select * from {{ ref('lead_bruto') }}
),

series as (
    select * from {{ ref('lead_serie') }}
),

classes as (
    select * from {{ ref('classe_consumo') }}
),

mensais as (
    select
        l.uc_id,
        l.ano,
        l.distribuidora_id,
        l.origem,
        l.pac,
        array[
            {%- for mes in range(1, 13) %}
            coalesce(
                s.energia_total[{{ mes }}],
                s.energia_ponta[{{ mes }}] + s.energia_fora_ponta[{{ mes }}],
                s.energia_ponta[{{ mes }}], s.energia_fora_ponta[{{ mes }}]
            ){{ ',' if not loop.last }}
            {%- endfor %}
        ] as energia,
        {{ sem_serie_vazia('s.energia_ponta') }} as ponta_medida,
        c.participacao as da_curva,
        k.participacao as da_classe,
        coalesce(c.participacao, k.participacao) as participacao,
        greatest(
            {{ meses('s.demanda_total') }},
            {{ meses('s.demanda_ponta') }},
            {{ meses('s.demanda_fora_ponta') }}
        ) as demanda,
        greatest({{ meses('s.demanda_ponta') }}) as demanda_na_ponta
    from leads as l
    inner join series as s
        on l.uc_id = s.uc_id and l.ano = s.ano and l.distribuidora_id = s.distribuidora_id
    left join classes as cc on l.classe_consumo_id = cc.id
    left join {{ ref('curva_participacao') }} as c
        on
            l.ano = c.ano
            and l.distribuidora_id = c.distribuidora_id
            and l.tipo_curva_carga = c.chave
            and c.nivel = 'curva'
    left join {{ ref('curva_participacao') }} as k
        on
            l.ano = k.ano
            and l.distribuidora_id = k.distribuidora_id
            and {{ chave_da_classe('l.origem', 'cc.grupo') }} = k.chave
            and k.nivel = 'classe'
    -- Keeps the planner from writing each array out wherever an element of it is read: 13 k units took 80 s.
    offset 0 -- noqa: AM09
),

com_ponta as (
    select
        *,
        coalesce(ponta_medida, array[
            {%- for mes in range(1, 13) %}
            energia[{{ mes }}] * participacao[{{ mes }}]{{ ',' if not loop.last }}
            {%- endfor %}
        ]) as ponta,
        {{ soma_dos_meses('energia') }} as energia_anual_kwh,
        greatest({{ meses('energia') }}) as maior_mes,
        num_nonnulls({{ meses('energia') }}) as quantos_meses,
        (make_date(ano + 1, 1, 1) - make_date(ano, 1, 1)) * 24 as horas
    from mensais
    offset 0 -- noqa: AM09
),

anuais as (
    select
        *,
        {{ soma_dos_meses('ponta') }} as energia_ponta_kwh
    from com_ponta
)

select
    uc_id,
    energia_anual_kwh,
    energia_ponta_kwh,
    energia_anual_kwh - energia_ponta_kwh as energia_fora_ponta_kwh,
    case when energia_anual_kwh > 0 then energia_ponta_kwh / energia_anual_kwh end as participacao_ponta,
    case when demanda > 0 then demanda end as demanda_maxima_kw,
    case when demanda_na_ponta > 0 then demanda_na_ponta end as demanda_ponta_kw,
    case when demanda > 0 and pac > 0 then demanda / pac end as razao_demanda,
    case when demanda > 0 then energia_anual_kwh / (demanda * horas) end as fator_carga,
    case when energia_anual_kwh > 0 then maior_mes * quantos_meses / energia_anual_kwh end as sazonalidade,
    distribuidora_id,
    origem,
    ano,
    case
        when energia_anual_kwh is null then null
        when ponta_medida is not null then 'medido'
        when da_curva is not null then 'estimado_curva'
        when da_classe is not null then 'estimado_classe'
    end as origem_perfil,
    energia as energia_mes,
    ponta as energia_ponta_mes
from anuais
