-- The farthest beyond their limit first.
select
    l.alerta_id,
    l.regra,
    l.titulo,
    l.nivel,
    l.distribuidora_id,
    l.alvo,
    coalesce(l.nome, l.alvo) as nome,
    l.ano,
    l.valor_abertura,
    l.operador,
    l.limite,
    l.aberto_em,
    (
        select u.uc_id
        from marts.mart_lead as u
        where l.nivel = 'uc' and u.distribuidora_id = l.distribuidora_id
            and u.origem::text = left(l.alvo, 4) and u.cod_id = substr(l.alvo, 6)
        order by u.uc_id
        limit 1
    ) as uc_id,
    count(*) over () as total
from marts.mart_alerta as l
where l.aberto and l.aberto_em > %(desde)s
order by
    abs(l.valor_abertura - l.limite) / nullif(abs(l.limite), 0) desc nulls last,
    l.aberto_em desc,
    l.alerta_id desc
limit %(limite)s
