select
    transformador,
    circuito,
    potencia_kva,
    unidades,
    energia_anual_kwh,
    carregamento_medio,
    carregamento_maximo,
    suprimido,
    count(*) over () as todos,
    count(*) filter (where suprimido) over () as suprimidos,
    count(*) filter (where carregamento_maximo > 1) over () as acima_do_nominal,
    sum(potencia_kva) over () as potencia_total_kva
from marts.mart_transformador
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
order by carregamento_maximo desc nulls last, transformador asc
limit 10
