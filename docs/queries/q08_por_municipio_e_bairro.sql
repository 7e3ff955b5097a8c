-- 8. Unidades e energia por município e bairro; o que está suprimido fica na lista, sem medidas.
select
    b.ano,
    b.uf,
    b.municipio,
    b.distribuidora,
    b.bairro,
    b.quantidade_leads,
    b.energia_anual_kwh,
    100 * b.energia_anual_kwh / nullif(m.energia_anual_kwh, 0) as parte_do_municipio_pct,
    b.suprimido
from marts.resumo_bairro as b
left join marts.resumo_municipio as m on b.ano = m.ano and b.municipio_id = m.municipio_id
order by b.ano desc, b.uf, b.municipio, b.energia_anual_kwh desc nulls last, b.distribuidora, b.bairro;
