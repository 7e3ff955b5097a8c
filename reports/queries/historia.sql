-- The months that were, of every published safra: the sum of the cells that are shown.
select
    ano,
    mes,
    sum(energia_kwh) as energia_kwh,
    count(*) filter (where suprimido) as suprimidas
from marts.resumo_classe_mes
where distribuidora_id = %(distribuidora_id)s
group by ano, mes
order by ano, mes
