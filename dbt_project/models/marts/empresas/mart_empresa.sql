{{ config(
    materialized='materialized_view',
    indexes=[{'columns': ['cnpj_basico'], 'unique': true}]
) }}

-- depends_on: {{ ref('safra_publicada') }}
-- The newest safra of each distributor, each unit counted once: for its first candidate.
with leads as (
    select * from {{ ref('mart_lead') }}
),

candidatas as (
    select * from {{ ref('lead_empresa') }}
),

-- A company's name is one, however many deliveries said it: the newest one's.
nomes as (
    select distinct on (cnpj_basico)
        cnpj_basico,
        razao_social,
        natureza_juridica,
        porte,
        faturamento_faixa,
        capital_social
    from candidatas
    order by cnpj_basico asc, entrega_id desc, matriz desc nulls last, cnpj asc
),

unidades as (
    select
        c.cnpj_basico,
        count(*) filter (where c.ordem = 1) as unidades,
        count(*) filter (where c.confianca = 'alta') as unidades_confianca_alta,
        count(distinct l.uc_id) as unidades_possiveis,
        count(distinct c.cnpj) filter (where c.ordem = 1) as estabelecimentos,
        sum(l.energia_anual_kwh) filter (where c.ordem = 1) as energia_anual_kwh,
        sum(l.energia_anual_kwh) filter (where c.confianca = 'alta') as energia_confianca_alta_kwh,
        max(l.melhor_score) filter (where c.ordem = 1) as melhor_score,
        (
            array_agg(l.melhor_oferta order by l.melhor_score desc nulls last, l.uc_id asc)
            filter (where c.ordem = 1)
        )[1] as melhor_oferta,
        max(c.escore) as maior_escore
    from candidatas as c
    inner join leads as l
        on c.uc_id = l.uc_id and c.ano = l.ano and c.distribuidora_id = l.distribuidora_id
    group by c.cnpj_basico
)

select
    u.cnpj_basico,
    n.razao_social,
    n.natureza_juridica,
    n.porte,
    n.faturamento_faixa,
    n.capital_social,
    u.estabelecimentos,
    u.unidades,
    u.unidades_confianca_alta,
    u.unidades_possiveis,
    coalesce(u.energia_anual_kwh, 0) as energia_anual_kwh,
    coalesce(u.energia_confianca_alta_kwh, 0) as energia_confianca_alta_kwh,
    u.melhor_oferta,
    u.melhor_score,
    u.maior_escore
from unidades as u
inner join nomes as n on u.cnpj_basico = n.cnpj_basico
