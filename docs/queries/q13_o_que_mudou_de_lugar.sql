-- 13. Quem mudou de lugar na última publicação que mudou lugares, de onde para onde e por quê: depois de mudar um peso.
select
    m.oferta,
    l.cod_id,
    l.municipio,
    m.posicao_antes,
    m.posicao_agora,
    round(m.score_agora - m.score_antes, 1) as ganho,
    m.motivo,
    m.quando
from marts.mart_lead_score_mudanca as m
inner join marts.mart_lead as l using (uc_id, ano, distribuidora_id)
order by abs(m.posicao_agora - m.posicao_antes) desc nulls first, l.cod_id, m.oferta
limit 20;
