{# No barrier: nothing is left out, and behind one PostGIS' operators find no index. #}
{{ config(materialized='view') }}
select
    z.municipio_id,
    z.malha_id,
    z.zoom_minimo,
    m.nome,
    m.uf,
    z.geom
from {{ ref('municipio_zoom') }} as z
inner join {{ ref('municipio') }} as m on z.municipio_id = m.id
