-- entre returns what is outside, keeps the bounds and does not judge null.
with achadas as (
    {{ test_entre("(values (0), (1), (12), (13), (null)) as t (mes)", 'mes', 1, 12) }}
)

select count(*) as achadas
from achadas
having count(*) <> 2 or min(mes) <> 0 or max(mes) <> 13
