-- 8. Energia e unidades por município e bairro; o que está suprimido fica na lista, sem medidas.
select
    b.uf,
    b.municipio,
    b.distribuidora,
    b.bairro,
    b.quantidade_leads,
    b.energia_anual_kwh,
    100 * b.energia_anual_kwh / nullif(m.energia_anual_kwh, 0) as parte_do_municipio_pct,
    b.suprimido
from marts.resumo_bairro as b
left join marts.resumo_municipio as m using (ano, municipio_id)
where b.ano = 2024
order by b.uf, b.municipio, b.energia_anual_kwh desc nulls last;
