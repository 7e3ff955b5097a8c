{# The column lies between minimo and maximo, both included; null is not judged. #}
{% test entre(model, column_name, minimo, maximo) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} not between {{ minimo }} and {{ maximo }}
{% endtest %}
