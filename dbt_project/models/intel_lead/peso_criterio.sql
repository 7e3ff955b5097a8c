{{ config(materialized='dominio', unique_key='id') }}

with semente as (
    select * from {{ ref('oferta_criterio') }}
),

aprendidos as (
    select * from {{ source('aprendizado', 'peso_aprendido') }}
),

-- Learned weights beat the seed of that day: one that somebody changed since is their newer word.
em_uso as (
    select coalesce(s.oferta_id, a.oferta) as oferta
    from semente as s
    full join aprendidos as a on s.oferta_id = a.oferta and s.criterio_id = a.criterio
    group by coalesce(s.oferta_id, a.oferta)
    having bool_and(s.peso is not distinct from a.peso_semente)
)

select
    s.id,
    s.oferta_id,
    s.criterio_id,
    coalesce(a.peso, s.peso) as peso,
    s.direcao,
    case when a.oferta is null then 'semente' else 'aprendidos' end as origem
from semente as s
left join em_uso as u on s.oferta_id = u.oferta
left join aprendidos as a on u.oferta = a.oferta and s.criterio_id = a.criterio
