-- One tile of municípios, of the class that this zoom is drawn with.
with bloco as (
    select st_tileenvelope(%(z)s, %(x)s, %(y)s) as area
),

formas as (
    select
        m.municipio_id as id,
        case when %(z)s >= 6 then m.nome end as nome,
        case when %(z)s >= 6 then m.uf end as uf,
        st_asmvtgeom(m.geom, b.area, %(unidades)s, 64) as geom
    from bloco as b
    inner join marts.mart_municipio_mapa as m on m.geom && b.area
    where m.zoom_minimo = %(classe)s
)

select
    coalesce(st_asmvt(formas, 'municipios', %(unidades)s, 'geom', 'id'), '') as bloco,
    count(*) as feicoes
from formas
where geom is not null
