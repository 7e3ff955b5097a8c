{{ config(meta={'dagster': {'ref': {'name': 'safra_serie'}}}) }}
-- The series of each level add up to the energy of all units: no unit is in none, or in two.
-- A returned row is a level of a safra that does not.
with series as (
    select
        s.ano,
        s.distribuidora_id,
        s.nivel,
        sum(m.energia) as energia
    from {{ ref('safra_serie') }} as s
    cross join lateral unnest(s.energia_mes) as m (energia)
    group by s.ano, s.distribuidora_id, s.nivel
),

unidades as (
    select
        ano,
        distribuidora_id,
        sum(energia_anual_kwh) as energia
    from {{ ref('lead_perfil') }}
    group by ano, distribuidora_id
)

select
    s.ano,
    s.distribuidora_id,
    s.nivel,
    s.energia,
    u.energia as das_unidades
from series as s
inner join unidades as u on s.ano = u.ano and s.distribuidora_id = u.distribuidora_id
where abs(coalesce(s.energia, 0) - coalesce(u.energia, 0)) > 1
