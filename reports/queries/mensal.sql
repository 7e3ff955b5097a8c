with classes as (
    select
        classe,
        mes,
        sum(energia_kwh) as energia_kwh,
        count(*) filter (where suprimido) as suprimidas
    from marts.resumo_classe_mes
    where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    group by classe, mes
)

select
    classe,
    mes,
    energia_kwh,
    suprimidas,
    sum(energia_kwh) over (partition by mes) as todas_kwh
from classes
order by sum(energia_kwh) over (partition by classe) desc nulls last, classe, mes asc
