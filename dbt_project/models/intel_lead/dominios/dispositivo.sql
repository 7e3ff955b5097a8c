with semente as (

    select
        id,
        nome,
        municipio_id,
        potencia_interna_w,
        potencia_externa_w,
        limiar_luz,
        limiar_distancia_cm,
        periodo_s,
        tarifa_brl_kwh,
        uso_interno_h_dia,
        uso_externo_h_dia,
        consumo_esperado_interno_kwh_mes,
        consumo_esperado_externo_kwh_mes,
        economia_esperada_interna_pct,
        economia_esperada_externa_pct
    from {{ ref('dispositivo_dominio') }}

),

ouvido as (

    select id from {{ ref('stg_aicss_dispositivo') }}

)

select
    coalesce(semente.id, ouvido.id) as id,
    semente.nome,
    semente.municipio_id,
    semente.potencia_interna_w,
    semente.potencia_externa_w,
    -- The firmware's own constants: what a device does of which nothing else is known.
    coalesce(semente.limiar_luz, 2000) as limiar_luz,
    coalesce(semente.limiar_distancia_cm, 100) as limiar_distancia_cm,
    coalesce(semente.periodo_s, 1) as periodo_s,
    semente.tarifa_brl_kwh,
    semente.uso_interno_h_dia,
    semente.uso_externo_h_dia,
    semente.consumo_esperado_interno_kwh_mes,
    semente.consumo_esperado_externo_kwh_mes,
    semente.economia_esperada_interna_pct,
    semente.economia_esperada_externa_pct,
    semente.id is not null as documentado
from semente
full join ouvido on semente.id = ouvido.id
