{# Every UC of a monthly table has the months 1 to 12, each once. #}
{% test doze_meses_por_uc(model) %}
select uc_id
from {{ model }}
group by uc_id
having count(*) <> 12 or bit_or(1 << mes) <> 8190 -- bits 1 to 12
{% endtest %}
