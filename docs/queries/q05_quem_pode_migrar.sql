-- 5. Quem pode ir ao mercado livre hoje, como, quanta energia é e quanto se economizaria: R$ por ano, nulo sem tarifas.
select
    l.distribuidora,
    o.via,
    l.optante_b,
    count(*) as leads,
    sum(l.energia_anual_kwh) as energia_anual_kwh,
    sum(l.custo_anual_brl) as custo_anual_brl,
    sum(o.economia_brl_ano) as economia_brl_ano
from marts.mart_lead as l
inner join marts.mart_lead_oferta as o using (uc_id, ano, distribuidora_id)
where o.oferta = 'migracao' and l.mercado_livre_desde <= current_date
group by l.distribuidora, o.via, l.optante_b
order by energia_anual_kwh desc, l.distribuidora, o.via, l.optante_b;
