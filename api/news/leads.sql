-- Leads that rose in the last publication that moved any, each by the offer in which it rose farthest;
-- newest and farthest first. Without a place before, a lead came in only if its unit is new: it had no place
-- in any offer, and is in no earlier safra.
with subidas as (
    select distinct on (m.uc_id)
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
        m.score_agora - coalesce(m.score_antes, 0) as subiu
    from marts.mart_lead_score_mudanca as m
    inner join marts.mart_lead as l on m.uc_id = l.uc_id
    where m.quando > %(desde)s
        and (
            m.posicao_agora < m.posicao_antes
            or (
                m.posicao_antes is null
                and m.posicao_agora is not null
                and not exists (
                    select from marts.mart_lead_score as s
                    where s.uc_id = l.uc_id and s.ano = l.ano and s.distribuidora_id = l.distribuidora_id
                        and not exists (
                            select from marts.mart_lead_score_mudanca as x
                            where x.uc_id = s.uc_id and x.ano = s.ano
                                and x.distribuidora_id = s.distribuidora_id and x.oferta = s.oferta
                        )
                )
                and not exists (
                    select from marts.mart_lead_score_mudanca as x
                    where x.uc_id = l.uc_id and x.ano = l.ano and x.distribuidora_id = l.distribuidora_id
                        and x.posicao_antes is not null
                )
                and not exists (
                    select from marts.mart_lead_safra as o
                    where o.distribuidora_id = l.distribuidora_id and o.cod_id = l.cod_id and o.ano < l.ano
                )
            )
        )
    order by m.uc_id asc, subiu desc nulls last, m.posicao_agora asc, m.oferta asc
)

select
    uc_id,
    oferta,
    posicao_antes,
    posicao_agora,
    score_antes,
    score_agora,
    quando,
    motivo,
    municipio,
    uf,
    segmento_mercado,
    energia_anual_kwh,
    count(*) over () as total
from subidas
order by quando desc, subiu desc nulls last, posicao_agora asc, uc_id asc
limit %(limite)s
