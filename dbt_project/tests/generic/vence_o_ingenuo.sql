{# Nothing that loses to the seasonal naive is published. #}
{% test vence_o_ingenuo(model) %}
select * from {{ model }}
where tipo = 'previsao' and publicado and mase > 1.0001
{% endtest %}
