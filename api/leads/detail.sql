-- All that marts say of one unit of a legal person, one row, one snapshot; no row: there is none, or it is nobody's to see.
-- The key says the safra (routes.py asks it first), and every table is asked by all three values: one leaf is planned, not all.
with detalhe as (
    select to_jsonb(v) - 'geom' as json
    from marts.vw_lead_completo_detalhado as v
    where v.uc_id = %(uc_id)s and v.ano = %(ano)s and v.distribuidora_id = %(distribuidora)s
),

lead as (
    select l.*
    from marts.mart_lead_safra as l
    where l.uc_id = %(uc_id)s and l.ano = %(ano)s and l.distribuidora_id = %(distribuidora)s
),

meses as (
    select jsonb_agg(
        jsonb_build_object(
            'mes', e.mes, 'energia_total', e.energia_total, 'energia_ponta', e.energia_ponta,
            'energia_fora_ponta', e.energia_fora_ponta, 'demanda_total', d.demanda_total,
            'demanda_ponta', d.demanda_ponta, 'demanda_fora_ponta', d.demanda_fora_ponta,
            'demanda_contratada', d.demanda_contratada, 'dic', q.dic, 'fic', q.fic
        ) order by e.mes
    ) as json
    from marts.lead_energia_mensal as e
    left join marts.lead_demanda_mensal as d
        on e.mes = d.mes and d.uc_id = %(uc_id)s and d.ano = %(ano)s and d.distribuidora_id = %(distribuidora)s
    left join marts.lead_qualidade_mensal as q
        on e.mes = q.mes and q.uc_id = %(uc_id)s and q.ano = %(ano)s and q.distribuidora_id = %(distribuidora)s
    where e.uc_id = %(uc_id)s and e.ano = %(ano)s and e.distribuidora_id = %(distribuidora)s
),

criterios as (
    select
        k.oferta,
        jsonb_agg(
            to_jsonb(k) - '{uc_id,ano,distribuidora_id,oferta}'::text[]
            order by k.contribuicao desc, k.criterio asc
        ) as json
    from marts.mart_lead_criterio as k
    where k.uc_id = %(uc_id)s and k.ano = %(ano)s and k.distribuidora_id = %(distribuidora)s
    group by k.oferta
),

scores as (
    select jsonb_agg(
        to_jsonb(s) - '{uc_id,ano,distribuidora_id}'::text[]
        || jsonb_build_object(
            'criterios', coalesce(k.json, '[]'),
            'tamanho', to_jsonb(o) - '{uc_id,ano,distribuidora_id,oferta}'::text[]
        ) order by s.score desc, s.oferta asc
    ) as json
    from marts.mart_lead_score as s
    left join marts.mart_lead_oferta as o
        on s.oferta = o.oferta and o.uc_id = %(uc_id)s and o.ano = %(ano)s and o.distribuidora_id = %(distribuidora)s
    left join criterios as k on s.oferta = k.oferta
    where s.uc_id = %(uc_id)s and s.ano = %(ano)s and s.distribuidora_id = %(distribuidora)s
),

excluidas as (
    select jsonb_agg(jsonb_build_object('oferta', x.oferta, 'motivo', x.motivo) order by x.oferta) as json
    from marts.lead_excluido as x
    where x.uc_id = %(uc_id)s and x.ano = %(ano)s and x.distribuidora_id = %(distribuidora)s
),

custos as (
    select jsonb_agg(
        to_jsonb(c) - '{uc_id,ano,distribuidora_id}'::text[] order by c.modalidade, c.mes
    ) as json
    from marts.mart_custo_lead as c
    where c.uc_id = %(uc_id)s and c.ano = %(ano)s and c.distribuidora_id = %(distribuidora)s
),

conjunto as (
    select to_jsonb(r) as json
    from lead as l
    inner join marts.resumo_conjunto as r on l.conjunto_id = r.conjunto_id
    where r.ano = %(ano)s and r.distribuidora_id = %(distribuidora)s
),

perfil as (
    select to_jsonb(p) - '{uc_id,ano,distribuidora_id}'::text[] as json
    from marts.mart_perfil_consumo_lead as p
    where p.uc_id = %(uc_id)s and p.ano = %(ano)s and p.distribuidora_id = %(distribuidora)s
),

previsao as (
    select jsonb_agg(
        to_jsonb(p) - '{uc_id,distribuidora_id,perfil_id}'::text[] order by p.competencia
    ) as json
    from marts.mart_previsao_lead as p
    where p.uc_id = %(uc_id)s and p.distribuidora_id = %(distribuidora)s
),

historico as (
    select jsonb_agg(to_jsonb(h) order by h.ano desc) as json
    from lead as l
    inner join marts.mart_lead_historico as h on l.cod_id = h.cod_id
    where h.distribuidora_id = %(distribuidora)s
),

empresas as (
    select jsonb_agg(
        to_jsonb(e) - '{uc_id,ano,distribuidora_id}'::text[]
        - case when %(contatos)s then '{}'::text[] else '{telefone,email}'::text[] end
        order by e.ordem
    ) as json
    from marts.mart_lead_empresa as e
    where e.uc_id = %(uc_id)s and e.ano = %(ano)s and e.distribuidora_id = %(distribuidora)s
),

anomalias as (
    select jsonb_agg(
        to_jsonb(n) - '{uc_id,ano,distribuidora_id,nivel,serie_id}'::text[] order by n.mes, n.tipo
    ) as json
    from marts.mart_anomalia as n
    where n.uc_id = %(uc_id)s and n.ano = %(ano)s and n.distribuidora_id = %(distribuidora)s
),

enriquecimento as (
    select jsonb_agg(
        jsonb_build_object(
            'etapa', g.etapa, 'resultado', g.resultado, 'detalhes', g.detalhes, 'em', g.created_at
        ) order by g.etapa
    ) as json
    from marts.lead_enrichment_log as g
    where g.uc_id = %(uc_id)s and g.ano = %(ano)s and g.distribuidora_id = %(distribuidora)s
),

vizinhos as (
    select jsonb_agg(to_jsonb(v) order by v.distancia_m, v.uc_id) as json
    from lead as l
    cross join lateral (
        select
            n.uc_id,
            n.segmento_mercado,
            n.energia_anual_kwh,
            n.melhor_oferta,
            n.melhor_score,
            round(st_distancesphere(n.geom, l.geom)) as distancia_m
        from marts.mart_lead_safra as n
        where n.ano = %(ano)s and n.distribuidora_id = %(distribuidora)s and n.uc_id <> %(uc_id)s
        order by n.geom <-> l.geom
        limit 8
    ) as v
)

select
    (select json from detalhe) as detalhe,
    (select to_jsonb(lead) - 'geom' from lead) as lead,
    coalesce((select json from meses), '[]') as meses,
    coalesce((select json from scores), '[]') as scores,
    coalesce((select json from excluidas), '[]') as ofertas_excluidas,
    coalesce((select json from custos), '[]') as custos,
    (select json from conjunto) as conjunto,
    (select json from perfil) as perfil,
    coalesce((select json from previsao), '[]') as previsao,
    coalesce((select json from historico), '[]') as historico,
    coalesce((select json from empresas), '[]') as empresas,
    coalesce((select json from anomalias), '[]') as anomalias,
    coalesce((select json from enriquecimento), '[]') as enriquecimento,
    coalesce((select json from vizinhos), '[]') as vizinhos
where exists (select from detalhe)
