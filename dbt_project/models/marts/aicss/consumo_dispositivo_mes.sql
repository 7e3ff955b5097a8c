{{ config(materialized='view') }}
{% set inteiras = [
    'energia_interna_kwh', 'energia_externa_kwh', 'energia_total_kwh', 'energia_ponta_kwh', 'custo_brl'
] %}

with mes as (

    select
        dispositivo_id,
        date_trunc('month', dia)::date as mes,
        count(*) as dias,
        sum(leituras)::bigint as leituras,
        sum(segundos_cobertos) as segundos_cobertos,
        sum(segundos_sem_estado) as segundos_sem_estado,
        sum(segundos_ligado_interno) as segundos_ligado_interno,
        sum(segundos_ligado_externo) as segundos_ligado_externo,
        {% for c in inteiras %}
        case when count({{ c }}) = count(*) then sum({{ c }}) end as {{ c }},
        {% endfor %}
        case when count(base_interna_kwh) = count(*) then sum(base_interna_kwh) end as base_interna_kwh,
        case when count(base_externa_kwh) = count(*) then sum(base_externa_kwh) end as base_externa_kwh
    from {{ ref('consumo_dispositivo_dia') }}
    group by dispositivo_id, date_trunc('month', dia)

)

select
    mes.dispositivo_id,
    mes.mes,
    mes.dias,
    mes.leituras,
    mes.segundos_cobertos,
    100 * mes.segundos_cobertos
    / extract(epoch from (mes.mes + interval '1 month') - mes.mes)::double precision as cobertura_pct,
    mes.segundos_sem_estado,
    mes.segundos_ligado_interno,
    mes.segundos_ligado_externo,
    mes.energia_interna_kwh,
    mes.energia_externa_kwh,
    mes.energia_total_kwh,
    mes.energia_ponta_kwh,
    mes.custo_brl,
    mes.base_interna_kwh,
    mes.base_externa_kwh,
    100 * (1 - mes.energia_interna_kwh / nullif(mes.base_interna_kwh, 0)) as economia_interna_pct,
    100 * (1 - mes.energia_externa_kwh / nullif(mes.base_externa_kwh, 0)) as economia_externa_pct,
    mes.base_interna_kwh + mes.base_externa_kwh - mes.energia_total_kwh as economia_kwh,
    -- At the month's mean price.
    (mes.base_interna_kwh + mes.base_externa_kwh - mes.energia_total_kwh)
    * coalesce(mes.custo_brl / nullif(mes.energia_total_kwh, 0), dispositivo.tarifa_brl_kwh) as economia_brl,
    dispositivo.economia_esperada_interna_pct,
    dispositivo.economia_esperada_externa_pct
from mes
inner join {{ ref('dispositivo') }} as dispositivo on mes.dispositivo_id = dispositivo.id
