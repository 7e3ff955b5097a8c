-- not_null returns the row that is null, not the others.
with achadas as (
    {{ test_not_null("(values (1), (null), (2)) as t (a)", 'a') }}
)

select count(*) as achadas
from achadas
having count(*) <> 1
