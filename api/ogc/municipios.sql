select
    m.municipio_id,
    m.nome,
    m.uf,
    r.ano,
    r.quantidade_leads,
    r.energia_anual_kwh,
    r.suprimido,
    m.geom
from marts.mart_municipio_mapa as m
left join lateral (
    select
        t.ano,
        t.quantidade_leads,
        t.energia_anual_kwh,
        t.suprimido
    from marts.resumo_municipio as t
    where m.municipio_id = t.municipio_id
    order by t.ano desc
    limit 1
) as r on true
where m.zoom_minimo = 9
