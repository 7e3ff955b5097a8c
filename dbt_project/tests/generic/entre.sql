{# The column lies between minimo and maximo, both included; null is not judged. A failing row comes with what
   finds it again. #}
{% test entre(model, column_name, minimo, maximo) %}
select {{ (chaves_da_linha(model) + [column_name]) | unique | join(', ') }}
from {{ model }}
where {{ column_name }} not between {{ minimo }} and {{ maximo }}
{% endtest %}
