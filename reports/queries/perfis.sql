select
    p.perfil_id,
    p.perfil,
    p.suprimido,
    p.quantidade_leads,
    p.energia_anual_kwh,
    p.media_kwh_mes,
    p.media_sazonalidade,
    100 * p.participacao_ponta as ponta_pct,
    count(l.uc_id) as leads_pj
from marts.mart_perfil_consumo as p
left join marts.mart_perfil_consumo_lead as l
    on p.perfil_id = l.perfil_id and p.ano = l.ano and p.distribuidora_id = l.distribuidora_id
where p.ano = %(ano)s and p.distribuidora_id = %(distribuidora_id)s
group by
    p.perfil_id, p.perfil, p.suprimido, p.quantidade_leads, p.energia_anual_kwh, p.media_kwh_mes,
    p.media_sazonalidade, p.participacao_ponta
order by p.perfil_id
