select
    alerta_id,
    regra,
    titulo,
    nivel,
    distribuidora_id,
    coalesce(nome, alvo) as nome,
    valor_abertura,
    operador,
    limite,
    aberto_em,
    count(*) over () as total
from marts.mart_alerta
where aberto and aberto_em > %(desde)s
order by aberto_em desc, alerta_id desc
limit %(limite)s
