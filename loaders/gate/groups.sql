-- Feeders, conjuntos and municípios that the content before had: its units, how many of them are anywhere now, and
-- how many units bear the group's name now.
with before as (
    select g.kind, g.name, r.unit, r.coded
    from {before} as r
    cross join lateral (values ('feeder', r.feeder), ('conj', r.conj), ('mun', r.mun)) as g (kind, name)
    where g.name <> ''
),

now as (
    select g.kind, g.name, count(*) as units
    from {now} as n
    cross join lateral (values ('feeder', n.feeder), ('conj', n.conj), ('mun', n.mun)) as g (kind, name)
    where g.name <> ''
    group by g.kind, g.name
)

select
    b.kind,
    b.name,
    count(*) as units,
    count(*) filter (where b.coded) as coded,
    count(*) filter (where b.coded and n.unit is not null) as common,
    coalesce(max(now.units), 0) as now_units
from before as b
left join {now} as n on b.unit = n.unit and n.coded and b.coded
left join now on b.kind = now.kind and b.name = now.name
group by b.kind, b.name
order by b.kind, b.name
