-- Who rose in the last publication that moved any, newest and farthest first.
select
    m.uc_id,
    m.oferta,
    m.posicao_antes,
    m.posicao_agora,
    m.score_antes,
    m.score_agora,
    m.quando,
    m.motivo,
    l.municipio,
    l.uf,
    l.segmento_mercado,
    l.energia_anual_kwh,
    count(*) over () as total
from marts.mart_lead_score_mudanca as m
inner join marts.mart_lead as l on m.uc_id = l.uc_id
where m.quando > %(desde)s
    and m.posicao_agora < coalesce(m.posicao_antes, 2147483647)
order by
    m.quando desc, m.score_agora - coalesce(m.score_antes, 0) desc nulls last, m.posicao_agora asc,
    m.uc_id asc, m.oferta asc
limit %(limite)s
