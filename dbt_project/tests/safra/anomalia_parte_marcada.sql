-- No kind of anomaly marks more than its parte_maxima of the units that it judges. A returned row is a kind
-- of a safra that does: its rule is wrong there (seed anomalia_tipo), not its units. Below five is no share.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'anomalia'}}}) }}

with unidades as (
    select
        ano,
        distribuidora_id,
        count(*) as todas,
        count(*) filter (where pac > 0) as com_demanda
    from {{ ref('lead_bruto') }}
    group by ano, distribuidora_id
),

marcadas as (
    select
        ano,
        distribuidora_id,
        tipo,
        count(distinct uc_id) as marcadas
    from {{ ref('anomalia') }}
    where nivel = 'uc'
    group by ano, distribuidora_id, tipo
)

select
    m.ano,
    m.distribuidora_id,
    m.tipo,
    m.marcadas,
    case t.julga when 'com_demanda' then u.com_demanda else u.todas end as julgadas
from marcadas as m
inner join unidades as u on m.ano = u.ano and m.distribuidora_id = u.distribuidora_id
inner join {{ ref('anomalia_tipo') }} as t on m.tipo = t.tipo
where
    m.marcadas >= 5
    and m.marcadas > t.parte_maxima * case t.julga when 'com_demanda' then u.com_demanda else u.todas end
