{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['dispositivo_id', 'hora'],
    on_schema_change='fail',
    full_refresh=false
) }}
{% set so_tocadas = so_o_novo() %}

with leitura as (

    select * from {{ ref('leitura_estado') }}

),

-- An hour's settings; longer than alcance between two readings is a gap: neither on nor covered.
vigencia as (

    select
        dispositivo_id,
        vigente_desde,
        vigente_ate,
        potencia_interna_w,
        potencia_externa_w,
        tarifa_brl_kwh,
        make_interval(secs => periodo_s * {{ var('aicss_lacuna_periodos', 3) }}) as alcance,
        md5(concat_ws(
            ' ', potencia_interna_w, '|', potencia_externa_w, '|', tarifa_brl_kwh, '|', limiar_luz,
            '|', limiar_distancia_cm, '|', periodo_s, '|', {{ var('aicss_lacuna_periodos', 3) }}
        )) as parametros_md5
    from {{ ref('dispositivo_vigencia') }}

),

{% if so_tocadas %}
alcance as (

    select
        dispositivo_id,
        max(alcance) as alcance
    from vigencia
    group by dispositivo_id

),

-- Hours in which an interval may have changed: a reading's own and those within reach of it; so too of hours
-- whose settings changed, since the reading of one hour counts into the next.
mudanca as (

    select
        dispositivo_id,
        min(medido_em) as de,
        max(medido_em) as ate
    from leitura
    where leitura_id > (select coalesce(max(feita.ultima_leitura_id), 0) from {{ this }} as feita)
    group by dispositivo_id, date_trunc('hour', medido_em)
    union all
    select
        feita.dispositivo_id,
        feita.hora as de,
        feita.hora + interval '1 hour' as ate
    from {{ this }} as feita
    inner join vigencia
        on
            feita.dispositivo_id = vigencia.dispositivo_id
            and feita.hora >= vigencia.vigente_desde
            and feita.hora < vigencia.vigente_ate
    where feita.parametros_md5 <> vigencia.parametros_md5

),

tocada as (

    select distinct
        mudanca.dispositivo_id,
        alcance.alcance,
        hora.hora
    from mudanca
    inner join alcance on mudanca.dispositivo_id = alcance.dispositivo_id
    cross join lateral generate_series(
        date_trunc('hour', mudanca.de - alcance.alcance, 'America/Sao_Paulo'),
        mudanca.ate + alcance.alcance,
        interval '1 hour'
    ) as hora (hora)

),

-- Touched hours with what is within reach of them, in stretches that do not overlap: a reading comes once.
separada as (

    select
        dispositivo_id,
        alcance,
        hora,
        case
            when hora - lag(hora) over (partition by dispositivo_id order by hora)
                <= interval '1 hour' + 2 * alcance then 0
            else 1
        end as comeca
    from tocada

),

trecho as (

    select
        dispositivo_id,
        min(hora - alcance) as de,
        max(hora + interval '1 hour' + alcance) as ate
    from (
        select
            *,
            sum(comeca) over (partition by dispositivo_id order by hora) as numero
        from separada
    ) as s
    group by dispositivo_id, numero

),

janela as (

    select leitura.*
    from trecho
    inner join leitura
        on
            trecho.dispositivo_id = leitura.dispositivo_id
            and leitura.medido_em >= trecho.de
            and leitura.medido_em < trecho.ate

),
{% else %}
janela as (

    select * from leitura

),
{% endif %}

seguida as (

    select
        leitura_id,
        dispositivo_id,
        ligado_interno,
        ligado_externo,
        medido_em as inicio,
        lead(medido_em) over (partition by dispositivo_id order by medido_em) as proxima
    from janela

),

intervalo as (

    select
        seguida.leitura_id,
        seguida.dispositivo_id,
        seguida.ligado_interno,
        seguida.ligado_externo,
        seguida.inicio,
        case
            when seguida.proxima - seguida.inicio <= vigencia.alcance then seguida.proxima
            else seguida.inicio
        end as fim
    from seguida
    inner join vigencia
        on
            seguida.dispositivo_id = vigencia.dispositivo_id
            and seguida.inicio >= vigencia.vigente_desde
            and seguida.inicio < vigencia.vigente_ate

),

parte as (

    select
        intervalo.dispositivo_id,
        hora.hora,
        intervalo.ligado_interno,
        intervalo.ligado_externo,
        case when intervalo.inicio >= hora.hora then intervalo.leitura_id end as leitura_id,
        extract(epoch from (
            least(intervalo.fim, hora.hora + interval '1 hour')
            - greatest(intervalo.inicio, hora.hora)
        ))::double precision as segundos
    from intervalo
    cross join generate_series(
        date_trunc('hour', intervalo.inicio, 'America/Sao_Paulo'),
        intervalo.fim,
        interval '1 hour'
    ) as hora (hora)

),

por_hora as (

    select
        dispositivo_id,
        hora,
        count(leitura_id) as leituras,
        max(leitura_id) as ultima_leitura_id,
        sum(segundos) as segundos_cobertos,
        coalesce(sum(segundos) filter (where ligado_interno is null or ligado_externo is null), 0)
            as segundos_sem_estado,
        coalesce(sum(segundos) filter (where ligado_interno), 0) as segundos_ligado_interno,
        coalesce(sum(segundos) filter (where ligado_externo), 0) as segundos_ligado_externo
    from parte
    group by dispositivo_id, hora

),

energia as (

    select
        por_hora.*,
        vigencia.tarifa_brl_kwh,
        vigencia.parametros_md5,
        -- 1 kWh = 3.6e6 W·s
        vigencia.potencia_interna_w * por_hora.segundos_ligado_interno / 3.6e6
            as energia_interna_kwh,
        vigencia.potencia_externa_w * por_hora.segundos_ligado_externo / 3.6e6
            as energia_externa_kwh
    from por_hora
    inner join vigencia
        on
            por_hora.dispositivo_id = vigencia.dispositivo_id
            and por_hora.hora >= vigencia.vigente_desde
            and por_hora.hora < vigencia.vigente_ate

)

select
    energia.dispositivo_id,
    energia.hora,
    energia.leituras,
    energia.segundos_cobertos,
    energia.segundos_cobertos / 36 as cobertura_pct,
    energia.segundos_sem_estado,
    energia.segundos_ligado_interno,
    energia.segundos_ligado_externo,
    energia.energia_interna_kwh,
    energia.energia_externa_kwh,
    energia.energia_interna_kwh + energia.energia_externa_kwh as energia_total_kwh,
    (energia.energia_interna_kwh + energia.energia_externa_kwh) * energia.tarifa_brl_kwh
        as custo_brl,
    energia.ultima_leitura_id,
    energia.parametros_md5
from energia
{% if so_tocadas %}
inner join tocada
    on energia.dispositivo_id = tocada.dispositivo_id and energia.hora = tocada.hora
{% endif %}
