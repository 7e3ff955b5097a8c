-- 3. Quem passa da demanda contratada (acima de 5 % paga o dobro pelo excesso) e quem contrata demais.
select
    cod_id,
    distribuidora,
    demanda_contratada_kw,
    demanda_maxima_kw,
    razao_demanda,
    case when razao_demanda > 1.05 then 'acima' else 'abaixo' end as situacao_do_contrato
from marts.mart_lead
where razao_demanda > 1.05 or razao_demanda < 0.8
order by razao_demanda desc, distribuidora_id, cod_id;
