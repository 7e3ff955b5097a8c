-- 9. Que parte da energia de cada classe é da ponta.
select
    distribuidora,
    classe,
    classe_consumo,
    quantidade_leads,
    energia_anual_kwh,
    energia_ponta_kwh,
    participacao_ponta_pct
from marts.resumo_classe
where ano = 2024 and not suprimido
order by distribuidora, participacao_ponta_pct desc nulls last;
