{{ config(materialized='view') }}
{% set tz = "at time zone 'America/Sao_Paulo'" %}

with parametro as (

    select
        max(valor) filter (where id = 'z_limite') as z_limite,
        max(valor) filter (where id = 'janela_dias')::integer as janela_dias,
        max(valor) filter (where id = 'dias_minimos') as dias_minimos,
        max(valor) filter (where id = 'mad_piso_pct') as mad_piso_pct,
        max(valor) filter (where id = 'cobertura_minima_pct') as cobertura_minima_pct,
        max(valor) filter (where id = 'calado_h') as calado_h,
        max(valor) filter (where id = 'travado_leituras') as travado_leituras,
        max(valor) filter (where id = 'fora_da_faixa_pct') as fora_da_faixa_pct
    from {{ ref('parametro_aicss') }}

),

dia as (

    select
        d.*,
        -- As if the whole day had been covered, so that days compare.
        d.energia_total_kwh * 86400 / nullif(d.segundos_cobertos, 0) as kwh_dia,
        d.cobertura_pct >= p.cobertura_minima_pct as julgavel
    from {{ ref('consumo_dispositivo_dia') }} as d
    cross join parametro as p

),

ultimo as (

    select
        dispositivo_id,
        max(dia) filter (where julgavel) as ultimo_julgavel,
        max(dia) as ultimo_dia,
        max(recebido_em) as ouvido_em
    from dia
    group by dispositivo_id

),

-- The device's own days before this one.
antes as (

    select
        d.dispositivo_id,
        d.dia,
        d.kwh_dia,
        count(*) as dias,
        percentile_cont(0.5) within group (order by a.kwh_dia) as mediana,
        array_agg(a.kwh_dia) as valores
    from dia as d
    cross join parametro as p
    inner join dia as a
        on
            d.dispositivo_id = a.dispositivo_id
            and a.dia < d.dia
            and a.dia >= d.dia - p.janela_dias
            and a.julgavel
            and a.kwh_dia is not null
    where d.julgavel and d.kwh_dia is not null
    group by d.dispositivo_id, d.dia, d.kwh_dia

),

escore as (

    select
        antes.dispositivo_id,
        antes.dia,
        antes.kwh_dia,
        antes.mediana,
        antes.dias,
        -- A floor in kWh too: a device that was always off has a median and a MAD of zero.
        {{ z_robusto(
            'antes.kwh_dia', 'antes.mediana', 'desvio.mad',
            'greatest(antes.mediana * p.mad_piso_pct / 100, 0.001)'
        ) }} as z
    from antes
    cross join parametro as p
    cross join
        lateral (
            select percentile_cont(0.5) within group (order by abs(v - antes.mediana)) as mad
            from unnest(antes.valores) as t (v)
        ) as desvio
    where antes.dias >= p.dias_minimos

),

silencio as (

    select
        dispositivo_id,
        dia + 1 as dia,
        proximo - 1 as fim,
        24.0 * (proximo - dia - 1) as horas
    from (
        select
            dispositivo_id,
            dia,
            lead(dia) over (partition by dispositivo_id order by dia) as proximo
        from dia
    ) as d
    where proximo - dia > 1
    union all
    select
        u.dispositivo_id,
        (u.ouvido_em {{ tz }})::date as dia,
        null as fim,
        extract(epoch from l.lido_em - u.ouvido_em) / 3600.0 as horas
    from ultimo as u
    cross join {{ ref('aicss_lido') }} as l

),

marca as (

    select
        e.dispositivo_id,
        'acima_da_media' as tipo,
        e.dia,
        e.dia as fim,
        e.kwh_dia as valor,
        e.mediana as esperado,
        e.z as escore,
        p.z_limite as limite,
        format(
            'Em %s consumiu %s kWh (em 24 h); a mediana dos %s dias anteriores é %s kWh.',
            to_char(e.dia, 'DD/MM/YYYY'),
            replace(round(e.kwh_dia::numeric, 3)::text, '.', ','), e.dias,
            replace(round(e.mediana::numeric, 3)::text, '.', ',')
        ) as evidencia
    from escore as e
    cross join parametro as p
    where e.z > p.z_limite
    union all
    select
        s.dispositivo_id,
        'calado' as tipo,
        s.dia,
        s.fim,
        s.horas as valor,
        null as esperado,
        null as escore,
        p.calado_h as limite,
        case
            when s.fim is null
                then format('Nada chega desde %s: confira o sensor.', to_char(s.dia, 'DD/MM/YYYY'))
            else format('Nada mediu de %s a %s.', to_char(s.dia, 'DD/MM/YYYY'), to_char(s.fim, 'DD/MM/YYYY'))
        end as evidencia
    from silencio as s
    cross join parametro as p
    where s.horas > p.calado_h or s.fim is not null
    union all
    select
        d.dispositivo_id,
        'travado' as tipo,
        d.dia,
        d.dia as fim,
        d.luz_minima as valor,
        null as esperado,
        null as escore,
        p.travado_leituras as limite,
        format(
            'Em %s as %s leituras têm a mesma luz (%s) e a mesma distância: confira o sensor.',
            to_char(d.dia, 'DD/MM/YYYY'), d.leituras, d.luz_minima
        ) as evidencia
    from dia as d
    cross join parametro as p
    where
        d.julgavel
        and d.leituras >= p.travado_leituras
        and d.luz_minima = d.luz_maxima
        and d.distancia_minima_cm is not distinct from d.distancia_maxima_cm
        and (d.leituras_sem_eco = 0 or d.distancia_minima_cm is null)
    union all
    select
        d.dispositivo_id,
        'impossivel' as tipo,
        d.dia,
        d.dia as fim,
        100.0 * d.leituras_fora_da_faixa / d.leituras as valor,
        null as esperado,
        null as escore,
        p.fora_da_faixa_pct as limite,
        format(
            'Em %s, %s de %s leituras têm luz ou distância que o sensor não mede: confira o sensor.',
            to_char(d.dia, 'DD/MM/YYYY'), d.leituras_fora_da_faixa, d.leituras
        ) as evidencia
    from dia as d
    cross join parametro as p
    where d.leituras > 0 and 100.0 * d.leituras_fora_da_faixa / d.leituras > p.fora_da_faixa_pct

)

select
    marca.dispositivo_id,
    dispositivo.nome,
    marca.tipo,
    marca.dia,
    marca.fim,
    marca.valor::double precision as valor,
    marca.esperado::double precision as esperado,
    marca.escore::double precision as escore,
    marca.limite::double precision as limite,
    dia.leituras,
    marca.fim is null
    or marca.dia = case when marca.tipo = 'impossivel' then ultimo.ultimo_dia else ultimo.ultimo_julgavel end
        as atual,
    marca.evidencia
from marca
inner join ultimo on marca.dispositivo_id = ultimo.dispositivo_id
inner join {{ ref('dispositivo') }} as dispositivo on marca.dispositivo_id = dispositivo.id
left join dia on marca.dispositivo_id = dia.dispositivo_id and marca.dia = dia.dia
