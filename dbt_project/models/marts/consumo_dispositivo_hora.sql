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

dispositivo as (

    select
        id,
        potencia_interna_w,
        potencia_externa_w,
        tarifa_brl_kwh,
        -- Longer than this between two readings is a gap: neither on nor covered.
        make_interval(secs => periodo_s * {{ var('aicss_lacuna_periodos', 3) }}) as alcance,
        md5(concat_ws(
            ' ', potencia_interna_w, '|', potencia_externa_w, '|', tarifa_brl_kwh, '|', limiar_luz,
            '|', limiar_distancia_cm, '|', periodo_s, '|', {{ var('aicss_lacuna_periodos', 3) }}
        )) as parametros_md5
    from {{ ref('dispositivo') }}

),

{% if so_tocadas %}
-- Hours in which an interval may have changed: a reading's own, those within reach of it,
-- and all of a device whose parameters changed.
tocada as (

    select
        leitura.dispositivo_id,
        generate_series(
            date_trunc('hour', leitura.medido_em - dispositivo.alcance, 'America/Sao_Paulo'),
            leitura.medido_em + dispositivo.alcance,
            interval '1 hour'
        ) as hora
    from leitura
    inner join dispositivo on leitura.dispositivo_id = dispositivo.id
    where leitura.leitura_id > (select coalesce(max(feita.ultima_leitura_id), 0) from {{ this }} as feita)
    union
    select
        feita.dispositivo_id,
        feita.hora
    from {{ this }} as feita
    inner join dispositivo on feita.dispositivo_id = dispositivo.id
    where feita.parametros_md5 <> dispositivo.parametros_md5

),

janela as (

    select distinct leitura.*
    from tocada
    inner join dispositivo on tocada.dispositivo_id = dispositivo.id
    inner join leitura
        on
            tocada.dispositivo_id = leitura.dispositivo_id
            and leitura.medido_em >= tocada.hora - dispositivo.alcance
            and leitura.medido_em < tocada.hora + interval '1 hour' + dispositivo.alcance

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
            when seguida.proxima - seguida.inicio <= dispositivo.alcance then seguida.proxima
            else seguida.inicio
        end as fim
    from seguida
    inner join dispositivo on seguida.dispositivo_id = dispositivo.id

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
        dispositivo.tarifa_brl_kwh,
        dispositivo.parametros_md5,
        -- 1 kWh = 3.6e6 W·s
        dispositivo.potencia_interna_w * por_hora.segundos_ligado_interno / 3.6e6
            as energia_interna_kwh,
        dispositivo.potencia_externa_w * por_hora.segundos_ligado_externo / 3.6e6
            as energia_externa_kwh
    from por_hora
    inner join dispositivo on por_hora.dispositivo_id = dispositivo.id

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
