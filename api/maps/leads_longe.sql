-- One tile of leads from afar: 64 by 64 cells, summed beforehand by safra, here over the newest ones.
with bloco as (
    select st_tileenvelope(%(z)s, %(x)s, %(y)s) as area
),

celulas as (
    select
        sum(c.quantidade_leads)::bigint as quantidade_leads,
        sum(c.energia_anual_kwh) as energia_anual_kwh,
        max(c.melhor_score)::double precision as score,
        sum(c.longitude * c.quantidade_leads) / sum(c.quantidade_leads) as longitude,
        sum(c.latitude * c.quantidade_leads) / sum(c.quantidade_leads) as latitude
    from marts.mart_lead_celula as c
    where
        c.zoom = %(z)s
        and c.coluna between %(x)s * 64 and %(x)s * 64 + 63
        and c.linha between %(y)s * 64 and %(y)s * 64 + 63
        and not exists (
            select from marts.safra_publicada as s
            where c.distribuidora_id = s.distribuidora_id and c.ano < s.ano
        )
    group by c.coluna, c.linha
),

formas as (
    select
        c.quantidade_leads,
        round(c.energia_anual_kwh) as energia_anual_kwh,
        round(c.score) as score,
        st_asmvtgeom(
            st_transform(st_setsrid(st_makepoint(c.longitude, c.latitude), 4674), 3857), b.area, %(unidades)s, 64
        ) as geom
    from bloco as b
    cross join celulas as c
)

select
    coalesce(st_asmvt(formas, 'leads', %(unidades)s, 'geom'), '') as bloco,
    count(*) as feicoes
from formas
where geom is not null
