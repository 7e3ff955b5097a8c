-- Rows of a layer that share the energy of all twelve months with another row, among those with energy in three months
-- or more: a file in which units stand twice under other codes. A sample by the energy itself keeps twins together.
select count(*), count(*) - count(distinct months)
from (
    select hash_record_extended(row({energy}), 0) as months
    from {leaf}
    where {active} >= 3
) as rows_of_layer
where months & {mask} = 0
