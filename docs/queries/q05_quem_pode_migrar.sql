-- 5. Quem pode ir ao mercado livre hoje, como, e quanta energia é.
select
    l.distribuidora,
    o.via,
    l.optante_b,
    count(*) as leads,
    sum(l.energia_anual_kwh) as energia_anual_kwh
from marts.mart_lead as l
inner join marts.mart_lead_oferta as o using (uc_id, ano, distribuidora_id)
where o.oferta = 'migracao' and l.mercado_livre_desde <= current_date
group by l.distribuidora, o.via, l.optante_b
order by energia_anual_kwh desc;
