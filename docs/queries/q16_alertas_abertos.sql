-- 16. Quem precisa saber de quê: os alertas abertos, com os números que os provam (docs/alertas.md).
select
    titulo,
    nivel,
    coalesce(nome, alvo) as onde,
    ano,
    mes,
    round(valor::numeric, 2) as valor,
    operador,
    limite,
    aberto_em,
    evidencia
from marts.mart_alerta
where aberto
order by aberto_em desc, titulo, valor desc;
