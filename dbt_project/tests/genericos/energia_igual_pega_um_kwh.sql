-- energia_igual returns the month that lost a kWh, the month that vanished and those whose energy is no
-- finite number, the same on both sides or not; not the equal one.
with depois as (
    select
        2024 as ano,
        401 as distribuidora_id,
        'UCBT' as origem,
        mes,
        kwh as energia_total
    from (
        values (1, 500000.0), (1, 500000.0), (2, 999999.0), (4, 'NaN'), (5, 1.0), (6, 1.0)
    ) as t (mes, kwh)
),

antes as (
    select
        2024 as ano,
        401 as distribuidora_id,
        'UCBT' as origem,
        mes,
        kwh as energia_kwh
    from (
        values (1, 1000000.0), (2, 1000000.0), (3, 5.0), (4, 'NaN'), (5, 'NaN'), (6, 'Infinity')
    ) as t (mes, kwh)
),

achadas as (
    {{ test_energia_igual("depois", "antes") }}
)

select count(*) as achadas
from achadas
having count(*) <> 5 or bool_or(mes = 1)
