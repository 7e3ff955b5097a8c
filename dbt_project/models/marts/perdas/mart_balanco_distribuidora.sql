with safras as (
    select distinct
        ano,
        distribuidora_id
    from {{ ref('safra_camada') }}
),

camadas as (
    select * from {{ ref('safra_camada') }}
),

itens (item, camadas_somadas, camada_declarada) as (
    values
    ('faturada_at', array['UCAT'], 'BE'),
    ('faturada_mt', array['UCMT'], 'BE'),
    ('faturada_bt', array['UCBT', 'PIP'], 'BE'),
    ('gerada', array['UGAT', 'UGMT', 'UGBT'], 'BE'),
    ('nao_tecnica', array['CTMT'], 'PNT')
),

-- By which mart_perda_alimentador turned the feeders' energy into kWh.
fatores as (
    select
        ano,
        distribuidora_id,
        max(fator_unidade) as fator
    from {{ ref('mart_perda_alimentador') }}
    group by ano, distribuidora_id
),

somas as (
    select
        e.ano,
        e.distribuidora_id,
        i.item,
        sum(e.unidades) filter (where e.origem like 'UC%') as leads,
        sum(e.unidades_pf) as leads_pf,
        sum(e.energia_anual_kwh) as energia,
        max(e.maior_energia_anual_kwh) filter (where e.origem like 'UC%') as maior,
        sum(e.energia_pf_kwh) as energia_pf,
        max(e.maior_energia_pf_kwh) as maior_pf
    from {{ ref('alimentador_energia') }} as e
    inner join itens as i on e.origem = any(i.camadas_somadas)
    group by e.ano, e.distribuidora_id, i.item
    union all
    select
        a.ano,
        a.distribuidora_id,
        'nao_tecnica' as item,
        null as leads,
        0 as leads_pf,
        sum(f.fator * (
            coalesce({{ total_vetor('a.perda_nao_tecnica_mt') }}, 0)
            + coalesce({{ total_vetor('a.perda_nao_tecnica_bt') }}, 0)
        )) as energia,
        null as maior,
        null as energia_pf,
        null as maior_pf
    from {{ ref('alimentador') }} as a
    inner join fatores as f on a.ano = f.ano and a.distribuidora_id = f.distribuidora_id
    group by a.ano, a.distribuidora_id
),

do_balanco as (
    select
        ano,
        distribuidora_id,
        energia_anual_mwh,
        case
            when origem_energia in ('IG', 'IGD') then 'gerada'
            when subgrupo in ('A1', 'A2', 'A3') then 'faturada_at'
            when subgrupo like 'A%' then 'faturada_mt'
            else 'faturada_bt'
        end as item
    from {{ ref('balanco_energia') }}
    where origem_energia in ('FMC', 'FML', 'IG', 'IGD')
),

declaradas as (
    select
        ano,
        distribuidora_id,
        item,
        1000 * sum(energia_anual_mwh) as energia
    from do_balanco
    group by ano, distribuidora_id, item
    union all
    select
        ano,
        distribuidora_id,
        'nao_tecnica' as item,
        1000 * sum(energia_anual_mwh) as energia
    from {{ ref('perda_nao_tecnica') }}
    group by ano, distribuidora_id
),

-- A layer without a row says nothing, but for those that a distributor may have nothing in. A sum needs all
-- of its layers: street lights alone are not what was billed in low voltage.
ditas as (
    select
        s.ano,
        s.distribuidora_id,
        i.item,
        bool_or(c.camada = i.camada_declarada and c.linhas > 0) as ha_declarada,
        count(*) filter (
            where
            c.camada = any(i.camadas_somadas)
            and (c.linhas > 0 or c.camada in ('UCAT', 'UGAT', 'UGMT', 'UGBT', 'PIP') and c.presente)
        ) = cardinality(i.camadas_somadas) as ha_somada
    from safras as s
    cross join itens as i
    inner join camadas as c on s.ano = c.ano and s.distribuidora_id = c.distribuidora_id
    group by s.ano, s.distribuidora_id, i.item, i.camadas_somadas
),

pares as (
    select
        d.ano,
        d.distribuidora_id,
        d.item,
        case when d.ha_declarada then coalesce(b.energia, 0) end as declarada_kwh,
        case when d.ha_somada then coalesce(s.energia, 0) end as somada_kwh
    from ditas as d
    left join declaradas as b
        on d.ano = b.ano and d.distribuidora_id = b.distribuidora_id and d.item = b.item
    left join somas as s
        on d.ano = s.ano and d.distribuidora_id = s.distribuidora_id and d.item = s.item
),

celulas as (
    select
        *,
        {{ pequena_de() }} as pequena
    from somas
    where item like 'faturada%'
),

{{ esconde_complementos('celulas', total=['ano', 'distribuidora_id'], parte='item') }}

select
    case when not coalesce(o.oculta, false) then p.declarada_kwh end as declarada_kwh,
    case when not coalesce(o.oculta, false) then p.somada_kwh end as somada_kwh,
    case
        when not coalesce(o.oculta, false)
            then 100 * (p.somada_kwh - p.declarada_kwh) / nullif(p.declarada_kwh, 0)
    end as diferenca_pct,
    p.distribuidora_id,
    p.ano,
    coalesce(o.oculta, false) as suprimido,
    p.item,
    case
        when p.declarada_kwh is null or p.somada_kwh is null then 'sem dados'
        when abs(p.somada_kwh - p.declarada_kwh) <= 0.02 * p.declarada_kwh then 'confere'
        else 'diverge'
    end as situacao
from pares as p
left join ocultas as o
    on p.ano = o.ano and p.distribuidora_id = o.distribuidora_id and p.item = o.item
