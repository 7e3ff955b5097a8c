-- Of the chosen municípios' leads: no mart has every unit of a município by month.
select
    c.classe,
    m.mes,
    sum(m.energia_kwh) as energia_kwh,
    0 as suprimidas,
    sum(sum(m.energia_kwh)) over (partition by m.mes) as todas_kwh
from marts.mart_lead_safra as l
left join marts.resumo_classe as c using (ano, distribuidora_id, classe_consumo_id)
cross join unnest(l.energia_mes) with ordinality as m (energia_kwh, mes)
where l.ano = %(ano)s and l.distribuidora_id = %(distribuidora_id)s
    and l.municipio_id = any(%(municipios)s::integer[])
    and (%(ofertas)s::text[] is null or exists (
        select from marts.mart_lead_score as s
        where s.uc_id = l.uc_id and s.ano = l.ano and s.distribuidora_id = l.distribuidora_id
            and s.oferta = any(%(ofertas)s::text[])
    ))
group by c.classe, m.mes
order by sum(sum(m.energia_kwh)) over (partition by c.classe) desc nulls last, classe, mes asc
