-- 4. Energia por classe e mês, em MWh, e a parte da ponta.
select
    distribuidora,
    classe,
    mes,
    sum(unidades) as unidades,
    sum(energia_kwh) / 1000 as energia_mwh,
    100 * sum(energia_ponta_kwh) / nullif(sum(energia_kwh), 0) as ponta_pct,
    bool_or(suprimido) as falta_algo
from marts.resumo_classe_mes
where ano = 2024
group by distribuidora, classe, mes
order by distribuidora, classe, mes;
