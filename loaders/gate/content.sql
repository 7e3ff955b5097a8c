-- One content by itself, per layer and over all (layer null): units, energy without the greatest twentieth of all
-- units, the median year of a unit, and units without energy per month.
with ranked as (
    select *, row_number() over (order by kwh desc) > 0.05 * count(*) over () as ordinary
    from {table}
)

select
    layer,
    count(*) as units,
    count(*) filter (where coded) as coded,
    coalesce(sum(kwh) filter (where ordinary), 0) as most_kwh,
    count(*) filter (where kwh > 0) as active,
    percentile_disc(0.5) within group (order by kwh) filter (where kwh > 0) as median_kwh,
    {zero}
from ranked
group by grouping sets ((), (layer))
