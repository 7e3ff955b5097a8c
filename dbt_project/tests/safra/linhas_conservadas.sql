{{ config(meta={'dagster': {'ref': {'name': 'lead_bruto'}}}) }}
-- Every row landed from a UC layer is a lead or a superseded row of one: none vanished, none was invented.
-- A returned row is a layer of a safra whose counts differ.
with no_arquivo as (
    select
        ano,
        distribuidora_id,
        origem,
        max(linhas) as linhas
    from {{ ref('carga_resumo') }}
    group by ano, distribuidora_id, origem
),

leads as (
    select
        ano,
        distribuidora_id,
        origem,
        count(*) as linhas
    from {{ ref('lead_bruto') }}
    group by ano, distribuidora_id, origem
),

superadas as (
    select
        ano,
        distribuidora_id,
        origem,
        count(*) as linhas
    from {{ ref('lead_historico') }}
    group by ano, distribuidora_id, origem
)

select
    ano,
    distribuidora_id,
    origem,
    a.linhas as linhas_no_arquivo,
    l.linhas as leads,
    s.linhas as superadas
from no_arquivo as a
full outer join leads as l using (ano, distribuidora_id, origem)
full outer join superadas as s using (ano, distribuidora_id, origem)
where coalesce(a.linhas, 0) <> coalesce(l.linhas, 0) + coalesce(s.linhas, 0)
