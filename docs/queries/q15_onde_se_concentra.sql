-- 15. Onde se juntam a demanda e a geração distribuída, e como é o hexágono de 2 km de cada centro.
select
    c.tipo,
    c.cluster_id,
    c.lugares,
    c.quantidade_leads,
    c.energia_anual_kwh,
    c.leads_com_geracao,
    h.hexagono,
    h.media_dic_anual_h
from marts.mart_cluster_geografico as c
left join marts.mart_hexagono as h
    on c.ano = h.ano
        and c.distribuidora_id = h.distribuidora_id
        and h.tamanho_m = 2000
        and st_intersects(h.geom, st_centroid(c.geom))
where c.ano = 2024 and c.distribuidora_id = 401
order by c.tipo, c.cluster_id;
