{{ config(indexes=[{'columns': ['geom'], 'type': 'gist'}]) }}

-- A point whose coordinate was none (null in raw) can place nothing.
with pontos as (
    select distinct on (ano, distribuidora_id, cod_id)
        *,
        {{ pn_id() }} as pn_id
    from {{ ref('stg_ponnot') }}
    where latitude is not null and longitude is not null
    order by ano asc, distribuidora_id asc, cod_id asc, linha desc
),

tipos as (
    select * from {{ ref('tipo_ponto_notavel') }}
),

municipios as (
    select * from {{ ref('municipio') }}
),

-- PONNOT has no CEP: the commonest among the units connected at the point stands for it.
ceps as (
    select
        ano,
        distribuidora_id,
        pn_con,
        mode() within group (order by cep) as cep
    from {{ ref('lead_bruto') }}
    where pn_con is not null and cep is not null
    group by ano, distribuidora_id, pn_con
)

select
    p.pn_id,
    p.latitude,
    p.longitude,
    p.import_id,
    p.distribuidora_id,
    m.id as municipio_id,
    p.conjunto_id,
    p.ano,
    p.cod_id,
    concat_ws(' ', t.descricao, p.cod_id) as nome,
    t.id as tipo_ponto_notavel_id,
    c.cep,
    {{ postgis() }}st_setsrid(
        {{ postgis() }}st_makepoint(p.longitude, p.latitude), 4674
    )::{{ postgis() }}geometry (point, 4674) as geom
from pontos as p
left join tipos as t on p.tip_pn = t.id
left join municipios as m on p.mun = m.id::text
left join ceps as c
    on p.ano = c.ano
        and p.distribuidora_id = c.distribuidora_id
        and p.cod_id = c.pn_con
