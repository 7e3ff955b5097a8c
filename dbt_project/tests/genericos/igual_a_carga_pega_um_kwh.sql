-- igual_a_carga returns the month that lost a kWh, the month that vanished, those whose energy is no finite
-- number (the same on both sides or not) and the month that only an older import had; not the equal ones, nor
-- what an import newer than the safra says.
with depois as (
    select
        2024 as ano,
        401 as distribuidora_id,
        'UCBT' as origem,
        mes,
        kwh as energia_total
    from (
        values (1, 500000.0), (1, 500000.0), (2, 999999.0), (4, 'NaN'), (5, 1.0), (6, 1.0), (7, 7.0)
    ) as t (mes, kwh)
),

antes as (
    select
        2024 as ano,
        401 as distribuidora_id,
        'UCBT' as camada,
        'ene' as serie,
        mes,
        import_id,
        kwh as soma
    from (
        values
        (1, 1000000.0, 10), (2, 1000000.0, 10), (3, 5.0, 10), (4, 'NaN', 10), (5, 'NaN', 10),
        (6, 'Infinity', 10), (7, 7.0, 10), (1, 1.0, 9), (7, 9.0, 12), (8, 9.0, 12)
    ) as t (mes, kwh, import_id)
),

achadas as (
    {{ test_igual_a_carga(
        "depois", "antes", [{"coluna": "energia_total", "series": ["ene"], "camadas": ["UCBT"]}],
        safras="select 2024 as ano, 401 as distribuidora_id, 11 as import_id"
    ) }}
)

select count(*) as achadas
from achadas
having count(*) <> 5 or bool_or(mes in (1, 7, 8))
