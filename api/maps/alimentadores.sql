-- One tile of feeders, of the class that this zoom is drawn with, of the newest vintages.
with bloco as (
    select st_tileenvelope(%(z)s, %(x)s, %(y)s) as area
),

formas as (
    select
        a.circuito,
        a.nome,
        a.subestacao,
        a.distribuidora_id,
        round(a.perdas_pct::numeric, 1)::double precision as perdas_pct,
        a.situacao,
        st_asmvtgeom(a.geom, b.area, %(unidades)s, 64) as geom
    from bloco as b
    inner join marts.mart_alimentador_mapa as a on a.geom && b.area
    where
        a.zoom_minimo = %(classe)s
        and not exists (
            select from marts.safra_publicada as s
            where a.distribuidora_id = s.distribuidora_id and a.ano < s.ano
        )
)

select
    coalesce(st_asmvt(formas, 'alimentadores', %(unidades)s, 'geom'), '') as bloco,
    count(*) as feicoes
from formas
where geom is not null
