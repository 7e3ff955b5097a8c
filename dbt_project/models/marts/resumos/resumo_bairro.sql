{{ config(
    materialized='materialized_view',
    indexes=[
        {'columns': ['ano', 'distribuidora_id', 'municipio_id', 'bairro'], 'unique': true},
        {'columns': ['municipio_id']}
    ]
) }}

-- depends_on: {{ ref('safra_publicada') }}
-- Its município's total is known where one distributor serves it, and the distributor's.
with {{ celulas_do_resumo(
    'bairro',
    totais=[['ano', 'distribuidora_id', 'municipio_id'], ['ano', 'distribuidora_id']],
    extra={'envoltorio': postgis() ~ 'st_convexhull(' ~ postgis() ~ 'st_collect(geom))'}
) }}

select
    r.ano,
    r.distribuidora_id,
    d.nome as distribuidora,
    r.municipio_id,
    m.nome as municipio,
    m.uf,
    r.bairro,
    r.suprimido,
    {{ colunas('r', medidas_novas()) }},
    case
        when {{ postgis() }}geometrytype(r.envoltorio) = 'POLYGON' then r.envoltorio
    end::{{ postgis() }}geometry (polygon, 4674) as geom
from resumo as r
inner join {{ ref('distribuidora') }} as d on r.distribuidora_id = d.id
left join {{ ref('municipio') }} as m on r.municipio_id = m.id
