{# Twelve, 24 or 36 months of each series, one after the other from the month after `treinado_ate`. #}
{% test previsao_completa(model) %}
select
    distribuidora_id,
    nivel,
    serie_id
from {{ model }}
group by distribuidora_id, nivel, serie_id
having
    count(*) not in (12, 24, 36)
    or count(distinct competencia) <> count(*)
    or min(competencia) <> min(treinado_ate) + interval '1 month'
    or max(competencia) <> max(treinado_ate) + count(*) * interval '1 month'
{% endtest %}
