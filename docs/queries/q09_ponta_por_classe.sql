-- 9. Quanto da energia é de ponta, por classe; medida só na alta tensão, estimada nas outras.
select
    distribuidora,
    classe_consumo,
    origem_perfil,
    sum(energia_anual_kwh) as energia_anual_kwh,
    100 * sum(energia_ponta_kwh) / nullif(sum(energia_anual_kwh), 0) as ponta_pct
from marts.mart_lead
where energia_anual_kwh > 0
group by distribuidora, classe_consumo, origem_perfil
order by distribuidora, ponta_pct desc;
