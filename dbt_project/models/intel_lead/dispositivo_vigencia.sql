{{ config(materialized='view', contract={'enforced': false}) }}

with configurada as (

    select * from {{ ref('stg_dispositivo_config') }}

),

-- What a device without settings since always was before them: as the seed says, else the firmware.
inicial as (

    select
        d.id as dispositivo_id,
        '-infinity'::timestamptz as valido_de,
        s.municipio_id,
        null::integer as distribuidora_id,
        null::text as cod_id,
        s.potencia_interna_w,
        s.potencia_externa_w,
        coalesce(s.limiar_luz, 2000) as limiar_luz,
        coalesce(s.limiar_distancia_cm, 100) as limiar_distancia_cm,
        coalesce(s.periodo_s, 1) as periodo_s,
        s.tarifa_brl_kwh
    from {{ ref('dispositivo') }} as d
    left join {{ ref('dispositivo_dominio') }} as s on d.id = s.id
    where
        not exists (
            select from configurada as c
            where c.dispositivo_id = d.id and c.valido_de = '-infinity'
        )

),

todas as (

    select * from inicial
    union all
    select
        dispositivo_id,
        valido_de,
        municipio_id,
        distribuidora_id,
        cod_id,
        potencia_interna_w,
        potencia_externa_w,
        limiar_luz,
        limiar_distancia_cm,
        periodo_s,
        tarifa_brl_kwh
    from configurada

),

em_horas as (

    select
        *,
        date_trunc('hour', valido_de)
        + case when date_trunc('hour', valido_de) < valido_de then interval '1 hour' else interval '0' end
            as vigente_desde
    from todas

),

-- An hour has one set of settings: those that are valid when it begins.
por_hora as (

    select distinct on (dispositivo_id, vigente_desde) *
    from em_horas
    order by dispositivo_id asc, vigente_desde asc, valido_de desc

)

select
    dispositivo_id,
    vigente_desde,
    lead(vigente_desde, 1, 'infinity') over (partition by dispositivo_id order by vigente_desde)
        as vigente_ate,
    municipio_id,
    distribuidora_id,
    cod_id,
    potencia_interna_w,
    potencia_externa_w,
    limiar_luz,
    limiar_distancia_cm,
    periodo_s,
    tarifa_brl_kwh
from por_hora
