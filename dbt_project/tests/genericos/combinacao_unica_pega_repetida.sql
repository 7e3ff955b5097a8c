-- combinacao_unica returns exactly the repeated combination, a null included.
with achadas as (
    {{ test_combinacao_unica("(values (1, 1), (1, 2), (2, null), (2, null)) as t (a, b)", ['a', 'b']) }}
)

select count(*) as achadas
from achadas
having count(*) <> 1 or max(a) <> 2
