-- The ledger tells the truth: what it says was landed of a layer is what raw holds, and what it says was
-- rejected is kept in raw.rejeitado. A returned row is an execution whose counts differ.
with no_arquivo as (
    select
        ano,
        distribuidora_id,
        origem,
        max(linhas) as linhas
    from {{ ref('carga_resumo') }}
    group by ano, distribuidora_id, origem
),

vigentes as (
    select distinct on (i.ano, i.distribuidora_id, i.camada) i.*
    from {{ source('controle', 'import_status') }} as i
    where
        i.status = 'completed'
        and i.removida_em is null
        and (i.ano, i.distribuidora_id) in (
            select
                n.ano,
                n.distribuidora_id
            from no_arquivo as n
        )
    order by i.ano asc, i.distribuidora_id asc, i.camada asc, i.import_id desc
),

-- No model holds a row per row of these. Lateral: only the leaf of the safra at hand is scanned.
em_raw as (
    {% for camada in camadas_da_rede() %}
    select
        v.import_id,
        n.linhas
    from vigentes as v
    cross join
        lateral (
            select count(*) as linhas
            from {{ source('raw', camada | lower) }} as r
            where r.ano = v.ano and r.distribuidora_id = v.distribuidora_id
        ) as n
    where v.camada::text = '{{ camada }}'
    union all
    {% endfor %}
    select
        v.import_id,
        n.linhas
    from vigentes as v
    cross join
        lateral (
            select count(*) as linhas
            from {{ source('raw', 'complemento') }} as r
            where
                r.ano = v.ano
                and r.distribuidora_id = v.distribuidora_id
                and r.origem = replace(v.camada::text, 'COMPLEMENTO_', '')
        ) as n
    where v.camada::text like 'COMPLEMENTO%'
    union all
    select
        v.import_id,
        coalesce(n.linhas, 0) as linhas
    from vigentes as v
    left join no_arquivo as n
        on v.ano = n.ano
            and v.distribuidora_id = n.distribuidora_id
            and v.camada::text = n.origem::text
    {% set camadas = camadas_uc() | join("', '") %}
    where v.camada::text in ('{{ camadas }}')
),

rejeitadas as (
    select
        import_id,
        origem,
        count(*) as linhas
    from {{ source('raw', 'rejeitado') }}
    where import_id in (select v.import_id from vigentes as v)
    group by import_id, origem
)

select
    v.import_id,
    v.linhas_processadas,
    n.linhas as linhas_em_raw,
    v.linhas_rejeitadas,
    r.linhas as linhas_em_rejeitado
from vigentes as v
inner join em_raw as n on v.import_id = n.import_id
left join rejeitadas as r on v.import_id = r.import_id and v.camada::text = r.origem
where
    v.linhas_processadas <> n.linhas
    or v.linhas_rejeitadas <> coalesce(r.linhas, 0)
