{# The monthly energy of `model` is that of `bruto`, per safra, layer and month, to a tenth of a kWh
   (double precision adds in another order) or one part in 10^9. An energy that is not finite equals nothing:
   PostgreSQL holds NaN to be above infinity, so one comparison finds both. #}
{% test energia_igual(model, bruto) %}
with depois as (
    select ano, distribuidora_id, origem, mes, sum(energia_total) as kwh
    from {{ model }}
    group by ano, distribuidora_id, origem, mes
),

antes as (
    select ano, distribuidora_id, origem, mes, sum(energia_kwh) as kwh
    from {{ bruto }}
    group by ano, distribuidora_id, origem, mes
)

select
    ano,
    distribuidora_id,
    origem,
    mes,
    antes.kwh as kwh_no_arquivo,
    depois.kwh as kwh_na_tabela
from antes
full outer join depois using (ano, distribuidora_id, origem, mes)
where
    abs(coalesce(antes.kwh, 0) - coalesce(depois.kwh, 0))
    > greatest(0.1, 1e-9 * abs(coalesce(antes.kwh, 0)))
    or greatest(abs(antes.kwh), abs(depois.kwh)) >= 'infinity'
{% endtest %}
