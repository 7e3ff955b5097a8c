{{ config(indexes=[{'columns': ['geom'], 'type': 'gist'}]) }}

-- depends_on: {{ ref('lead_bruto') }} (it enters an unknown distribuidora, which this one references)
with transformadores as (
    select distinct on (ano, distribuidora_id, transformador) *
    from {{ ref('stg_untrmt') }}
    where transformador is not null
    order by ano asc, distribuidora_id asc, transformador asc, linha desc
),

potencias as (
    select * from {{ ref('potencia_transformador') }}
),

municipios as (
    select * from {{ ref('municipio') }}
)

select
    t.import_id,
    coalesce(t.potencia_kva, p.potencia_kva) as potencia_kva,
    t.perda_ferro_w,
    t.perda_total_w,
    t.latitude,
    t.longitude,
    t.distribuidora_id,
    m.id as municipio_id,
    t.conjunto_id,
    t.data_conexao,
    t.ano,
    t.transformador,
    t.sit_ativ as situacao_uc_id,
    t.subestacao,
    t.circuito,
    {{ postgis() }}st_setsrid(
        {{ postgis() }}st_makepoint(t.longitude, t.latitude), 4674
    )::{{ postgis() }}geometry (point, 4674) as geom
from transformadores as t
left join potencias as p on t.pot_nom_codigo = p.id
left join municipios as m on t.mun = m.id::text
