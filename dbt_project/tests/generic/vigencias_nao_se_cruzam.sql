{# No day has two prices of one thing: what follows begins after the end of what is before it. #}
{% test vigencias_nao_se_cruzam(model) %}
select tarifa_id
from (
    select
        tarifa_id,
        inicio,
        fim,
        lead(inicio) over (
            partition by
                distribuidora_id, subgrupo_tarifario_id, modalidade, classe, subclasse, detalhe, acessante, posto, grandeza
            order by inicio
        ) as seguinte
    from {{ model }}
) as t
where seguinte <= coalesce(fim, seguinte)
{% endtest %}
