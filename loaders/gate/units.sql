-- The units of one content of a safra, one row per COD_ID over all its layers: {table} is filled for comparison.py.
-- Of a large safra a sample by the code's hash, the same codes in every content: {mask} is a power of two less one.
-- Rows without a code stand for themselves and are compared with nobody.
create temp table {table} on commit drop as
select
    unit,
    coded,
    min(layer) as layer,
    max(feeder) as feeder,
    max(conj) as conj,
    max(mun) as mun,
    bool_or(placed) as placed,
    {sums},
    {year} as kwh,
    {active} as months
from ({layers}) as rows_of_layers
group by unit, coded
