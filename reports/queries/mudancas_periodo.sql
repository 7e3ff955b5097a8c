select
    m.oferta,
    m.quando,
    m.posicao_antes,
    m.posicao_agora,
    m.score_antes,
    m.score_agora,
    m.motivo,
    l.cod_id,
    l.municipio,
    l.segmento_mercado,
    count(*) over (partition by m.oferta) as mudaram
from marts.mart_lead_score_mudanca as m
left join marts.mart_lead_safra as l using (uc_id, ano, distribuidora_id)
where m.ano = %(ano)s and m.distribuidora_id = %(distribuidora_id)s
    and m.quando >= %(inicio)s and m.quando < %(fim)s
    and (%(municipios)s::integer[] is null or l.municipio_id = any(%(municipios)s::integer[]))
    and (%(ofertas)s::text[] is null or m.oferta = any(%(ofertas)s::text[]))
order by
    m.oferta asc, abs(coalesce(m.posicao_antes, 0) - coalesce(m.posicao_agora, 0)) desc,
    m.posicao_agora nulls last, l.cod_id asc
