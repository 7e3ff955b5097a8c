-- 11. Os alimentadores por perdas no ano, ao lado das que a distribuidora declara.
select
    distribuidora_id,
    ano,
    circuito,
    injetada_kwh,
    perdas_kwh,
    perdas_pct,
    tecnicas_declaradas_kwh,
    nao_tecnicas_declaradas_kwh,
    situacao
from marts.mart_perda_alimentador
order by perdas_pct desc nulls last, distribuidora_id, ano, circuito;
