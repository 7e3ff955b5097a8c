-- One tile of hexagons, of the size that this zoom is drawn with, of the newest vintages.
with bloco as (
    select st_tileenvelope(%(z)s, %(x)s, %(y)s) as area
),

formas as (
    select
        h.hexagono,
        h.distribuidora_id,
        h.quantidade_leads,
        h.energia_anual_kwh,
        h.media_dic_anual_h,
        h.leads_com_geracao,
        case when h.suprimido then true end as suprimido,
        st_asmvtgeom(st_transform(h.geom, 3857), b.area, %(unidades)s, 64) as geom
    from bloco as b
    inner join marts.mart_hexagono as h on h.geom && st_transform(b.area, 4674)
    where
        h.tamanho_m = %(classe)s
        and not exists (
            select from marts.safra_publicada as s
            where h.distribuidora_id = s.distribuidora_id and h.ano < s.ano
        )
)

select
    coalesce(st_asmvt(formas, 'hexagonos', %(unidades)s, 'geom'), '') as bloco,
    count(*) as feicoes
from formas
where geom is not null
