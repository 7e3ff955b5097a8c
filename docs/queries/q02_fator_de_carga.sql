-- 2. O fator de carga de cada unidade de média tensão: energia sobre a maior demanda em todas as horas do ano.
-- Acima de 1, energia e demanda do arquivo não combinam.
select
    cod_id,
    distribuidora,
    energia_anual_kwh,
    demanda_maxima_kw,
    fator_carga
from marts.mart_lead
where origem = 'UCMT'
order by fator_carga desc nulls last, distribuidora_id, cod_id;
