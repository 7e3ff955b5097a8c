-- 9. Quanto da energia é de ponta, por classe; medida só na alta tensão, estimada nas outras.
select
    distribuidora,
    ano,
    classe,
    classe_consumo,
    quantidade_leads,
    energia_anual_kwh,
    energia_ponta_kwh,
    participacao_ponta_pct
from marts.resumo_classe
where not suprimido
order by distribuidora, ano, participacao_ponta_pct desc nulls last, classe, classe_consumo;
