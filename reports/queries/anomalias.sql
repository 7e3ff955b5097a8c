select
    nivel,
    tipo,
    count(*) as meses,
    count(distinct serie_id) as series
from marts.mart_anomalia
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
group by nivel, tipo
order by count(*) desc, nivel, tipo asc
