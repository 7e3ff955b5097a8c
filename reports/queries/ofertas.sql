select
    s.oferta,
    count(*) as leads,
    count(*) filter (where l.origem <> 'UCBT') as leads_at_mt,
    sum(l.energia_anual_kwh) as energia_anual_kwh,
    max(s.score) as maior_score
from marts.mart_lead_score as s
inner join marts.mart_lead_safra as l using (uc_id, ano, distribuidora_id)
where s.ano = %(ano)s and s.distribuidora_id = %(distribuidora_id)s
    and (%(municipios)s::integer[] is null or l.municipio_id = any(%(municipios)s::integer[]))
    and (%(ofertas)s::text[] is null or s.oferta = any(%(ofertas)s::text[]))
group by s.oferta
