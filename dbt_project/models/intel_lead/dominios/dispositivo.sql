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

),

-- What is valid today; what was valid in each hour: dispositivo_vigencia.
configurado as (

    select distinct on (c.dispositivo_id)
        c.dispositivo_id as id,
        c.nome,
        m.id as municipio_id,
        c.potencia_interna_w,
        c.potencia_externa_w,
        c.limiar_luz,
        c.limiar_distancia_cm,
        c.periodo_s,
        c.tarifa_brl_kwh,
        c.valido_de <= now() as vale
    from {{ ref('stg_dispositivo_config') }} as c
    left join {{ ref('municipio') }} as m on c.municipio_id = m.id
    order by c.dispositivo_id asc, c.valido_de <= now() desc, c.valido_de desc

),

conhecido as (

    select id from semente
    union
    select id from ouvido
    union
    select id from configurado

)

select
    conhecido.id,
    case when configurado.vale then configurado.nome else semente.nome end as nome,
    case when configurado.vale then configurado.municipio_id else semente.municipio_id end as municipio_id,
    case when configurado.vale then configurado.potencia_interna_w else semente.potencia_interna_w end
        as potencia_interna_w,
    case when configurado.vale then configurado.potencia_externa_w else semente.potencia_externa_w end
        as potencia_externa_w,
    -- The firmware's own constants: what a device does of which nothing else is known.
    coalesce(case when configurado.vale then configurado.limiar_luz end, semente.limiar_luz, 2000)
        as limiar_luz,
    coalesce(
        case when configurado.vale then configurado.limiar_distancia_cm end, semente.limiar_distancia_cm, 100
    ) as limiar_distancia_cm,
    coalesce(case when configurado.vale then configurado.periodo_s end, semente.periodo_s, 1) as periodo_s,
    case when configurado.vale then configurado.tarifa_brl_kwh else semente.tarifa_brl_kwh end
        as tarifa_brl_kwh,
    semente.uso_interno_h_dia,
    semente.uso_externo_h_dia,
    semente.consumo_esperado_interno_kwh_mes,
    semente.consumo_esperado_externo_kwh_mes,
    semente.economia_esperada_interna_pct,
    semente.economia_esperada_externa_pct,
    semente.id is not null or configurado.id is not null as documentado
from conhecido
left join semente on conhecido.id = semente.id
left join configurado on conhecido.id = configurado.id
