{{ config(safra_pai='lead_bruto') }}

-- The ranks of this build beside those that readers still see; where none moves, the last change stays.
with safras as (
    select distinct
        ano,
        distribuidora_id
    from {{ ref('carga_resumo') }}
),

leads as (
    select
        uc_id,
        ano,
        distribuidora_id
    from {{ ref('lead_mercado') }}
),

agora as (
    select * from {{ ref('mart_lead_score') }}
),

antes as (
    select v.*
    from safras as s
    cross join lateral {{ publicado('mart_lead_score', 'uc_id, oferta, posicao, score') }} as p (linha)
    cross join lateral jsonb_to_record(p.linha) as v (uc_id uuid, oferta text, posicao integer, score numeric)
),

arquivos as (
    select
        (select max(c.import_id) from {{ ref('safra_camada') }} as c) > max(v.import_id) as novo
    from safras as s
    cross join lateral {{ publicado('safra_camada', 'import_id') }} as p (linha)
    cross join lateral jsonb_to_record(p.linha) as v (import_id bigint)
),

pesos as (
    select distinct
        oferta,
        criterio,
        peso::numeric as peso
    from {{ ref('mart_lead_criterio') }}
),

pesos_antes as (
    select v.*
    from safras as s
    cross join lateral {{ publicado('mart_lead_criterio', 'distinct oferta, criterio, peso') }} as p (linha)
    cross join lateral jsonb_to_record(p.linha) as v (oferta text, criterio text, peso numeric)
),

pesos_mudados as (
    select
        oferta,
        'Pesos: ' || string_agg(
            lower(c.nome) || ' de ' || replace(trim_scale(coalesce(a.peso, 0))::text, '.', ',')
            || ' para ' || replace(trim_scale(coalesce(n.peso, 0))::text, '.', ','), ', '
            order by c.nome
        ) as texto
    from pesos as n
    full join pesos_antes as a using (oferta, criterio)
    inner join {{ ref('criterio') }} as c on criterio = c.id
    where n.peso is distinct from a.peso
    group by oferta
),

mudancas as (
    select
        uc_id,
        oferta,
        a.score as score_antes,
        n.score as score_agora,
        a.posicao as posicao_antes,
        n.posicao as posicao_agora
    from antes as a
    full join agora as n using (uc_id, oferta)
    where
        -- The first publication changes nobody's rank.
        exists (select 1 from antes)
        and (a.posicao is distinct from n.posicao or a.score is distinct from n.score)
),

guardadas as (
    select v.*
    from safras as s
    cross join lateral {{ publicado('mart_lead_score_mudanca', '*') }} as p (linha)
    cross join
        lateral jsonb_to_record(p.linha) as v (
            uc_id uuid, oferta text, score_antes numeric, score_agora numeric, posicao_antes integer,
            posicao_agora integer, quando timestamptz, motivo text
        )
    where not exists (select 1 from mudancas)
),

todas as (
    select
        m.*,
        now() as quando,
        coalesce(
            nullif(concat_ws('. ', case when f.novo then 'Arquivo novo da safra' end, p.texto), ''),
            'Outro parâmetro, a tarifa ou a conta mudou'
        ) as motivo
    from mudancas as m
    cross join arquivos as f
    left join pesos_mudados as p on m.oferta = p.oferta
    union all
    select
        uc_id,
        oferta,
        score_antes,
        score_agora,
        posicao_antes,
        posicao_agora,
        quando,
        motivo
    from guardadas
)

select
    t.uc_id,
    t.score_antes::numeric(9, 6) as score_antes,
    t.score_agora::numeric(9, 6) as score_agora,
    t.quando,
    l.distribuidora_id,
    t.posicao_antes,
    t.posicao_agora,
    l.ano,
    t.oferta,
    t.motivo
from todas as t
inner join leads as l on t.uc_id = l.uc_id
