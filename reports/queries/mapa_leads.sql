-- A point per place, the greatest ones: a page has no room for more.
select
    longitude,
    latitude,
    count(*) as leads,
    coalesce(sum(energia_anual_kwh), 0) as energia_anual_kwh,
    bool_or(origem <> 'UCBT') as at_mt,
    count(*) over () as lugares
from marts.mart_lead_safra
where ano = %(ano)s and distribuidora_id = %(distribuidora_id)s
    and origem_coordenada <> 'municipio'
    and longitude is not null
group by longitude, latitude
order by 4 desc, longitude, latitude
limit %(lugares)s
