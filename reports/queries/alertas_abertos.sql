select
    titulo,
    nivel,
    count(*) as alertas,
    min(aberto_em) as desde
from marts.mart_alerta
where aberto
    and (distribuidora_id = %(distribuidora_id)s or distribuidora_id is null)
group by titulo, nivel
order by count(*) desc, titulo, nivel asc
