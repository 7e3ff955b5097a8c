{# dbt's own, but where PostgreSQL enforces the key there is nothing to read. #}
{% test relationships(model, column_name, to, field) %}
{% if execute and chave_estrangeira(model, column_name, to, field) %}
select '{{ column_name }}' as coluna
where false
{% else %}
select d.{{ column_name }}
from {{ model }} as d
left join {{ to }} as p on d.{{ column_name }} = p.{{ field }}
where d.{{ column_name }} is not null and p.{{ field }} is null
{% endif %}
{% endtest %}
