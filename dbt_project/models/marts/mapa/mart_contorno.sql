{{ config(materialized='view') }}
with areas as (
    select
        'area' as tipo,
        a.distribuidora_id,
        a.ano,
        a.area_atuacao as codigo,
        null::text as nome,
        a.geom
    from {{ ref('area_atuacao') }} as a
    where a.geom is not null
),

municipios_da_safra as (
    select distinct
        distribuidora_id,
        ano,
        municipio_id
    from {{ ref('safra_celula') }}
    where dimensao = 'municipio'
),

municipios as (
    select
        'municipio' as tipo,
        c.distribuidora_id,
        c.ano,
        c.municipio_id::text as codigo,
        m.nome,
        g.geom_simples as geom
    from municipios_da_safra as c
    inner join {{ ref('municipio_geometria') }} as g on c.municipio_id = g.municipio_id
    inner join {{ ref('municipio') }} as m on c.municipio_id = m.id
)

select
    tipo,
    distribuidora_id,
    ano,
    codigo,
    nome,
    geom
from areas
union all
select
    tipo,
    distribuidora_id,
    ano,
    codigo,
    nome,
    geom
from municipios
