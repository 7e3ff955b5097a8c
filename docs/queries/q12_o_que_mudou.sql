-- 12. O que mudou de uma safra para a seguinte: quem cresceu, quem encolheu, quem foi ao mercado livre, quem passou a
-- gerar. parte_encontrada diz quantos leads da safra nova se acharam na anterior pelo COD_ID.
select
    distribuidora_id,
    ano_anterior,
    ano,
    cod_id,
    energia_anterior_kwh,
    energia_anual_kwh,
    variacao_energia_pct,
    livre and not livre_anterior as migrou,
    possui_geracao and not possui_geracao_anterior as passou_a_gerar,
    parte_encontrada
from marts.mart_lead_historico
where uc_id_anterior is not null
order by abs(variacao_energia_pct) desc nulls last, distribuidora_id, ano, cod_id
limit 100;
