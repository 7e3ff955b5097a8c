{{ config(meta={'dagster': {'ref': {'name': 'safra_diferenca'}}}) }}
-- A returned row is a safra whose differences from the one before do not add up to its own units and energy.
with diferencas as (
    select
        ano,
        distribuidora_id,
        sum(unidades) as unidades,
        sum(energia_kwh) as kwh,
        sum(energia_antes_kwh + energia_novas_kwh - energia_sumiram_kwh)
        + sum(energia_subiu_kwh - energia_caiu_kwh) as contas
    from {{ ref('safra_diferenca') }}
    group by ano, distribuidora_id
),

leads as (
    select
        l.ano,
        l.distribuidora_id,
        count(*) as unidades,
        sum(m.energia_anual_kwh) as kwh
    from {{ ref('lead_bruto') }} as l
    left join {{ ref('lead_mercado') }} as m
        on l.uc_id = m.uc_id and l.ano = m.ano and l.distribuidora_id = m.distribuidora_id
    where l.chave_origem = 'cod_id'
    group by l.ano, l.distribuidora_id
)

select
    d.ano,
    d.distribuidora_id,
    d.unidades,
    l.unidades as leads,
    d.kwh,
    l.kwh as kwh_leads,
    d.contas
from diferencas as d
inner join leads as l on d.ano = l.ano and d.distribuidora_id = l.distribuidora_id
where
    d.unidades <> l.unidades
    or abs(d.kwh - coalesce(l.kwh, 0)) > 1
    or abs(d.contas - d.kwh) > 1
