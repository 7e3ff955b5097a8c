{{ config(meta={'dagster': {'ref': {'name': 'lead_com_coordenadas'}}}) }}
-- The coordinate fallback neither drops nor repeats a lead, in the safras published last. A returned row is a
-- safra whose counts differ.
with leads as (
    select
        ano,
        distribuidora_id,
        count(*) as linhas
    from {{ ref('lead_bruto') }}
    where {{ ultimas_publicadas() }}
    group by ano, distribuidora_id
),

localizados as (
    select
        ano,
        distribuidora_id,
        count(*) as linhas
    from {{ ref('lead_com_coordenadas') }}
    where {{ ultimas_publicadas() }}
    group by ano, distribuidora_id
)

select
    ano,
    distribuidora_id,
    l.linhas as leads,
    c.linhas as linhas_na_visao
from leads as l
full outer join localizados as c using (ano, distribuidora_id)
where l.linhas is distinct from c.linhas
