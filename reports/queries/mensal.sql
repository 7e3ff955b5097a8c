select
    classe,
    mes,
    sum(energia_kwh) as energia_kwh,
    count(*) filter (where suprimido) as suprimidas
from marts.resumo_classe_mes
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
group by classe, mes
order by classe, mes
