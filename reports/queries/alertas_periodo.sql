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
order by quando, evento, alerta_id
