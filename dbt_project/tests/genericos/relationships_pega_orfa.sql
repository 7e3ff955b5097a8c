-- relationships returns what has no counterpart and does not judge null.
{% set filhas = '(select * from (values (1), (2), (null)) as v (a))' %}
{% set pais = '(select * from (values (1), (3)) as v (b))' %}
with achadas as (
    {{ test_relationships(filhas, 'a', pais, 'b') }}
)

select count(*) as achadas
from achadas
having count(*) <> 1 or max(a) <> 2
