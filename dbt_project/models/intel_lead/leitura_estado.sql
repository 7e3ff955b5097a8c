{{ config(materialized='view', contract={'enforced': false}) }}

with leitura as (

    select * from {{ ref('leitura_sensor') }}

),

dispositivo as (

    select
        dispositivo_id,
        vigente_desde,
        vigente_ate,
        limiar_luz,
        limiar_distancia_cm
    from {{ ref('dispositivo_vigencia') }}

),

-- A value out of range decides nothing; no echo means that nobody is within reach.
condicao as (

    select
        leitura.leitura_id,
        leitura.dispositivo_id,
        leitura.medido_em,
        leitura.consumo_interno,
        leitura.consumo_externo,
        case when not leitura.luz_fora_da_faixa then leitura.luz < dispositivo.limiar_luz end as escuro,
        case
            when leitura.sem_eco then false
            when not leitura.distancia_fora_da_faixa
                then leitura.distancia_cm < dispositivo.limiar_distancia_cm
        end as perto
    from leitura
    inner join dispositivo
        on
            leitura.dispositivo_id = dispositivo.dispositivo_id
            and leitura.medido_em >= dispositivo.vigente_desde
            and leitura.medido_em < dispositivo.vigente_ate

)

select
    leitura_id,
    dispositivo_id,
    medido_em,
    coalesce(consumo_interno, escuro and perto) as ligado_interno,
    coalesce(consumo_externo, escuro) as ligado_externo,
    case when consumo_interno is null or consumo_externo is null then 'regra' else 'campo' end
        as origem_estado
from condicao
