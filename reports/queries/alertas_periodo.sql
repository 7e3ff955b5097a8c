-- An alert that opened and closed in the days is there twice.
with eventos as (
    select
        'abriu' as evento,
        aberto_em as quando,
        *
    from marts.mart_alerta
    union all
    select
        'fechou' as evento,
        fechado_em as quando,
        *
    from marts.mart_alerta
)

select
    evento,
    quando,
    titulo,
    nivel,
    coalesce(nome, alvo) as nome,
    valor_abertura,
    valor,
    operador,
    limite,
    motivo_fechamento,
    evidencia ->> 'motivo' as motivo
from eventos
where quando >= %(inicio)s and quando < %(fim)s
    and (distribuidora_id = %(distribuidora_id)s or distribuidora_id is null)
    and (
        %(municipios)s::integer[] is null
        or nivel = 'municipio' and alvo = any(%(municipios)s::integer[]::text[])
        or nivel = 'uc' and alvo in (
            select concat(l.origem, '|', l.cod_id) from marts.lead_com_coordenadas as l
            where l.ano = %(ano)s and l.distribuidora_id = %(distribuidora_id)s
                and l.municipio_id = any(%(municipios)s::integer[])
        )
    )
order by quando, evento, alerta_id
