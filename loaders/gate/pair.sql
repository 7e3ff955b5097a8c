-- What became of the units: one row per layer and one for all (layer null). `common` are in both contents; ratios are
-- of their energy, now over before. A common or new unit counts for its layer of now, a vanished one for that of before.
-- empty_MM: had energy in the month before, and now a tenth of it or less.
with pair as (
    select
        coalesce(n.layer, r.layer) as layer,
        n.unit is not null as now_there,
        r.unit is not null as before_there,
        n.unit is not null and r.kwh > 0 as comparable,
        n.kwh / nullif(r.kwh, 0) as ratio,
        n.months as now_months,
        r.months as before_months,
        n.placed as now_placed,
        r.placed as before_placed,
        {months}
    from (select * from {now} where coded) as n
    full join (select * from {before} where coded) as r using (unit)
)

select
    layer,
    count(*) filter (where now_there and before_there) as common,
    count(*) filter (where not now_there) as vanished,
    count(*) filter (where not before_there) as opened,
    count(*) filter (where comparable) as comparable,
    percentile_disc(0.5) within group (order by ratio) filter (where comparable) as median,
    count(*) filter (where comparable and ratio < {lowest}) as below,
    count(*) filter (where comparable and ratio > {highest}) as above,
    count(*) filter (where comparable and ratio < 0.5) as halved,
    count(*) filter (where comparable and ratio > 2) as doubled,
    count(*) filter (where comparable and now_months < before_months) as fewer_months,
    count(*) filter (where now_there and before_placed) as placed,
    count(*) filter (where now_there and before_placed and not now_placed) as displaced,
    {empty}
from pair
group by grouping sets ((), (layer))
