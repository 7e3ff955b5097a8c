{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['dispositivo_id', 'dia'],
    on_schema_change='fail',
    full_refresh=false
) }}
{% set medidas = [
    'horas', 'leituras', 'segundos_cobertos', 'segundos_sem_estado', 'segundos_ligado_interno',
    'segundos_ligado_externo', 'energia_interna_kwh', 'energia_externa_kwh', 'energia_ponta_kwh', 'custo_brl',
    'base_interna_kwh', 'base_externa_kwh', 'ultima_leitura_id',
] %}
{%- set na_ponta -%}
posto.inicio is not null and extract(isodow from hora.local) < 6 and feriado.data is null
{%- endset %}

with hora as (

    select
        *,
        hora at time zone 'America/Sao_Paulo' as local
    from {{ ref('consumo_dispositivo_hora') }}

),

posto as (

    select
        inicio,
        fim
    from {{ ref('posto_tarifario_hora') }}
    where distribuidora_id is null

),

soma as (

    select
        hora.dispositivo_id,
        hora.local::date as dia,
        count(*) as horas,
        sum(hora.leituras)::bigint as leituras,
        sum(hora.segundos_cobertos) as segundos_cobertos,
        sum(hora.segundos_sem_estado) as segundos_sem_estado,
        sum(hora.segundos_ligado_interno) as segundos_ligado_interno,
        sum(hora.segundos_ligado_externo) as segundos_ligado_externo,
        -- One hour of unknown watts, and the day's energy is not known.
        case when count(hora.energia_interna_kwh) = count(*) then sum(hora.energia_interna_kwh) end
            as energia_interna_kwh,
        case when count(hora.energia_externa_kwh) = count(*) then sum(hora.energia_externa_kwh) end
            as energia_externa_kwh,
        case
            when count(hora.energia_total_kwh) = count(*)
                then coalesce(sum(case when {{ na_ponta }} then hora.energia_total_kwh end), 0)
        end as energia_ponta_kwh,
        case when count(hora.custo_brl) = count(*) then sum(hora.custo_brl) end as custo_brl,
        max(hora.ultima_leitura_id) as ultima_leitura_id
    from hora
    left join posto on hora.local::time >= posto.inicio and hora.local::time < posto.fim
    left join {{ ref('feriado') }} as feriado on hora.local::date = feriado.data
    group by hora.dispositivo_id, hora.local::date

),

-- What the stated loads would have used without the device, in the part of the day that is covered.
por_dia as (

    select
        soma.*,
        vigencia.potencia_interna_w * dispositivo.uso_interno_h_dia / 1000 * soma.segundos_cobertos / 86400
            as base_interna_kwh,
        vigencia.potencia_externa_w * dispositivo.uso_externo_h_dia / 1000 * soma.segundos_cobertos / 86400
            as base_externa_kwh
    from soma
    inner join {{ ref('dispositivo') }} as dispositivo on soma.dispositivo_id = dispositivo.id
    left join {{ ref('dispositivo_vigencia') }} as vigencia
        on
            soma.dispositivo_id = vigencia.dispositivo_id
            and soma.dia::timestamp at time zone 'America/Sao_Paulo' >= vigencia.vigente_desde
            and soma.dia::timestamp at time zone 'America/Sao_Paulo' < vigencia.vigente_ate

),

tocado as (

    select por_dia.*
    from por_dia
    {% if so_o_novo() %}
    left join {{ this }} as feito
        on por_dia.dispositivo_id = feito.dispositivo_id and por_dia.dia = feito.dia
    where
        (por_dia.{{ medidas | join(', por_dia.') }})
        is distinct from (feito.{{ medidas | join(', feito.') }})
    {% endif %}

),

sensor as (

    select
        tocado.dispositivo_id,
        tocado.dia,
        count(*) filter (where leitura.luz_fora_da_faixa or leitura.distancia_fora_da_faixa)
            as leituras_fora_da_faixa,
        count(*) filter (where leitura.sem_eco) as leituras_sem_eco,
        min(leitura.luz) as luz_minima,
        max(leitura.luz) as luz_maxima,
        min(leitura.distancia_cm) as distancia_minima_cm,
        max(leitura.distancia_cm) as distancia_maxima_cm,
        max(leitura.recebido_em) as recebido_em
    from tocado
    inner join {{ ref('leitura_sensor') }} as leitura
        on
            tocado.dispositivo_id = leitura.dispositivo_id
            and leitura.medido_em >= tocado.dia::timestamp at time zone 'America/Sao_Paulo'
            and leitura.medido_em < (tocado.dia + 1)::timestamp at time zone 'America/Sao_Paulo'
    group by tocado.dispositivo_id, tocado.dia

)

select
    tocado.dispositivo_id,
    tocado.dia,
    tocado.horas,
    tocado.leituras,
    coalesce(sensor.leituras_fora_da_faixa, 0) as leituras_fora_da_faixa,
    coalesce(sensor.leituras_sem_eco, 0) as leituras_sem_eco,
    sensor.luz_minima,
    sensor.luz_maxima,
    sensor.distancia_minima_cm,
    sensor.distancia_maxima_cm,
    tocado.segundos_cobertos,
    100 * tocado.segundos_cobertos / 86400 as cobertura_pct,
    tocado.segundos_sem_estado,
    tocado.segundos_ligado_interno,
    tocado.segundos_ligado_externo,
    tocado.energia_interna_kwh,
    tocado.energia_externa_kwh,
    tocado.energia_interna_kwh + tocado.energia_externa_kwh as energia_total_kwh,
    tocado.energia_ponta_kwh,
    tocado.custo_brl,
    tocado.base_interna_kwh,
    tocado.base_externa_kwh,
    tocado.ultima_leitura_id,
    sensor.recebido_em
from tocado
left join sensor on tocado.dispositivo_id = sensor.dispositivo_id and tocado.dia = sensor.dia
