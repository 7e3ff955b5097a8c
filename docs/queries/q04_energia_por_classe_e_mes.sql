-- 4. A energia por classe e mês, das pessoas jurídicas.
select
    l.distribuidora,
    l.ano,
    l.classe_consumo,
    m.mes,
    sum(m.kwh) as energia_kwh,
    count(*) as unidades
from marts.mart_lead as l
cross join lateral unnest(l.energia_mes) with ordinality as m (kwh, mes)
group by l.distribuidora, l.ano, l.classe_consumo, m.mes
order by l.distribuidora, l.classe_consumo, m.mes;
