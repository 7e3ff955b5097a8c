-- A row per device that was ever heard or set up: its last reading, its last day, what is wrong with it now.
with ouvidos as (
    select distinct dispositivo_id from raw.aicss_dispositivo
    union
    select distinct dispositivo_id from app.dispositivo_config
),

alertas as (
    select dispositivo_id, jsonb_agg(jsonb_build_object('tipo', tipo, 'evidencia', evidencia) order by tipo) as json
    from marts.mart_alerta_aicss
    where atual
    group by dispositivo_id
)

select
    o.dispositivo_id,
    u.medido_em as ultima_leitura_em,
    u.recebido_em as ultima_chegada_em,
    u.luz as ultima_luz,
    u.distancia_cm as ultima_distancia_cm,
    d.dia as ultimo_dia,
    d.leituras as leituras_do_dia,
    d.energia_total_kwh as energia_do_dia_kwh,
    coalesce(a.json, '[]') as alertas,
    c.json as configuracao
from ouvidos as o
left join lateral (
    select l.medido_em, l.recebido_em, l.luz, l.distancia_cm
    from raw.aicss_leitura as l
    where l.dispositivo_id = o.dispositivo_id
    order by l.medido_em desc
    limit 1
) as u on true
left join lateral (
    select c.dia, c.leituras, c.energia_total_kwh
    from marts.consumo_dispositivo_dia as c
    where c.dispositivo_id = o.dispositivo_id
    order by c.dia desc
    limit 1
) as d on true
left join lateral (
    select
        jsonb_build_object(
            'nome', g.nome, 'municipio_id', g.municipio_id,
            'potencia_interna_w', g.potencia_interna_w, 'potencia_externa_w', g.potencia_externa_w,
            'limiar_luz', g.limiar_luz, 'limiar_distancia_cm', g.limiar_distancia_cm,
            'periodo_s', g.periodo_s, 'tarifa_brl_kwh', g.tarifa_brl_kwh
        ) as json
    from app.dispositivo_config as g
    where g.dispositivo_id = o.dispositivo_id and g.valido_de <= now()
    order by g.valido_de desc
    limit 1
) as c on true
left join alertas as a on o.dispositivo_id = a.dispositivo_id
where %(dispositivo)s::text is null or o.dispositivo_id = %(dispositivo)s
order by o.dispositivo_id
