-- Cells are a 64th of a tile (8 pixels of 512), so that a tile of 4,096 at most is read, not its leads: 2 million leads
-- leave some 300,000 rows. The finest level is summed first, the others from it.
with leads as (
    select
        l.ano,
        l.distribuidora_id,
        l.longitude,
        l.latitude,
        l.energia_anual_kwh,
        l.melhor_score
    from {{ ref('mart_lead_safra') }} as l
    where l.geom is not null and l.latitude between -85 and 85
),

finas as (
    select
        ano,
        distribuidora_id,
        {{ coluna_do_bloco('longitude', 9 + 6) }} as coluna,
        {{ linha_do_bloco('latitude', 9 + 6) }} as linha,
        count(*) as leads,
        sum(energia_anual_kwh) as energia,
        max(melhor_score) as melhor_score,
        sum(longitude) as longitudes,
        sum(latitude) as latitudes
    from leads
    group by 1, 2, 3, 4
)

select
    sum(f.leads)::bigint as quantidade_leads,
    sum(f.energia) as energia_anual_kwh,
    sum(f.longitudes) / sum(f.leads) as longitude,
    sum(f.latitudes) / sum(f.leads) as latitude,
    f.distribuidora_id,
    f.coluna >> (9 - z.zoom) as coluna,
    f.linha >> (9 - z.zoom) as linha,
    f.ano,
    z.zoom::smallint as zoom,
    max(f.melhor_score)::numeric(9, 6) as melhor_score
from finas as f
cross join generate_series(0, 9) as z (zoom)
group by f.ano, f.distribuidora_id, z.zoom, f.coluna >> (9 - z.zoom), f.linha >> (9 - z.zoom)
