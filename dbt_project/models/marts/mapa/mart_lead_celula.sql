-- Cells are a 64th of a tile (8 pixels of 512): of a tile 4,096 rows at most are read, not its leads.
-- The finest level is summed first, the others from it.
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
    group by ano, distribuidora_id, coluna, linha
),

niveis as (
    select
        f.ano,
        f.distribuidora_id,
        z.zoom::smallint as zoom,
        f.coluna >> (9 - z.zoom) as coluna,
        f.linha >> (9 - z.zoom) as linha,
        f.leads,
        f.energia,
        f.melhor_score,
        f.longitudes,
        f.latitudes
    from finas as f
    cross join generate_series(0, 9) as z (zoom)
)

select
    sum(leads)::bigint as quantidade_leads,
    sum(energia) as energia_anual_kwh,
    sum(longitudes) / sum(leads) as longitude,
    sum(latitudes) / sum(leads) as latitude,
    distribuidora_id,
    coluna,
    linha,
    ano,
    zoom,
    max(melhor_score)::numeric(9, 6) as melhor_score
from niveis
group by ano, distribuidora_id, zoom, coluna, linha
