{# dbt's own; where the contract has PostgreSQL refuse a null, that it does is what is tested: the catalogue is
   asked, no row is read. #}
{% test not_null(model, column_name) %}
{% if execute and contrato_recusa_nulo(model, column_name) %}
select attname
from pg_attribute
where
    attrelid = '{{ model.include(database=false) }}'::regclass
    and attname = '{{ column_name }}'
    and not attnotnull
{% else %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} is null
{% endif %}
{% endtest %}
