-- 4. A energia por classe e mês, de todas as unidades; `falta_algo`: há células suprimidas, e a soma é do que se mostra.
select
    distribuidora,
    ano,
    classe,
    mes,
    sum(unidades) as unidades,
    sum(energia_kwh) as energia_kwh,
    100 * sum(energia_ponta_kwh) / nullif(sum(energia_kwh), 0) as ponta_pct,
    bool_or(suprimido) as falta_algo
from marts.resumo_classe_mes
group by distribuidora, ano, classe, mes
order by distribuidora, ano, classe, mes;
