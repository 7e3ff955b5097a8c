{# The columns together identify a row (nulls count as equal). #}
{% test combinacao_unica(model, colunas) %}
select {{ colunas | join(', ') }}
from {{ model }}
group by {{ colunas | join(', ') }}
having count(*) > 1
{% endtest %}
