-- What the newest delivery says of each layer; carga_resumo only tells which safra is at hand.
with safras as (
    select distinct
        ano,
        distribuidora_id
    from {{ ref('carga_resumo') }}
),

entregas as (
    select distinct on (ano, distribuidora_id, camada) *
    from {{ source('carga', 'entrega') }}
    order by ano asc, distribuidora_id asc, camada asc, import_id desc
)

select
    e.linhas,
    e.import_id,
    e.distribuidora_id,
    e.ano,
    e.camada,
    e.presente
from safras as s
inner join entregas as e on s.ano = e.ano and s.distribuidora_id = e.distribuidora_id
