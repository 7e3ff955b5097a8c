{{ config(safra_pai='lead_bruto') }}
{#- Months with consumption that make a year of a unit: connected in October, it did not grow by 300 %. #}
{%- set ano_inteiro = 10 %}

with unidades as (
    select
        l.uc_id,
        l.ano,
        l.distribuidora_id,
        {{ unidade_do_id('l.uc_id') }} as unidade,
        p.energia_anual_kwh as kwh
    from {{ ref('lead_bruto') }} as l
    inner join {{ ref('classe_consumo') }} as c on l.classe_consumo_id = c.id
    inner join {{ ref('lead_perfil') }} as p on l.uc_id = p.uc_id
    where
        {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }}
        -- A file without COD_ID numbers its rows: the same number is no unit's.
        and l.chave_origem = 'cod_id'
        and {{ meses_positivos('p.energia_mes') }} >= {{ ano_inteiro }}
),

anteriores as (
    select
        {{ unidade_do_id('p.uc_id') }} as unidade,
        p.ano,
        p.energia_anual_kwh as kwh,
        p.energia_mes
    from {{ source('publicado', 'lead_perfil_anteriores') }} as p
),

achadas as (
    select
        u.uc_id,
        u.ano,
        u.distribuidora_id,
        a.ano as de,
        a.kwh,
        a.energia_mes
    from unidades as u
    inner join anteriores as a on u.unidade = a.unidade
    -- Months are counted of what was found, not of every household of nine years.
    offset 0 -- noqa: AM09
),

anos as (
    select
        uc_id,
        ano,
        distribuidora_id,
        ano as de,
        kwh
    from unidades
    union all
    select
        uc_id,
        ano,
        distribuidora_id,
        de,
        kwh
    from achadas
    where {{ meses_positivos('energia_mes') }} >= {{ ano_inteiro }}
)

select
    uc_id,
    100 * regr_slope(kwh, de) / avg(kwh) as tendencia_pct_ano,
    distribuidora_id,
    ano,
    min(de) as desde,
    count(*)::smallint as safras
from anos
group by uc_id, ano, distribuidora_id
having count(*) > 1 and avg(kwh) > 0
