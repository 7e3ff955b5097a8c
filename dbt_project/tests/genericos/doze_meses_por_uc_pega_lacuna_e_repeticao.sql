-- doze_meses_por_uc returns the UC with eleven months and the one with a month twice, not the whole one.
with inteira as (
    select
        'inteira' as uc_id,
        generate_series(1, 12) as mes
),

onze as (
    select
        'onze' as uc_id,
        generate_series(1, 11) as mes
),

repetida as (
    select
        'repetida' as uc_id,
        least(inteira.mes, 11) as mes
    from inteira
),

meses as (
    select * from inteira
    union all
    select * from onze
    union all
    select * from repetida
),

achadas as (
    {{ test_doze_meses_por_uc("meses") }}
)

select count(*) as achadas
from achadas
having count(*) <> 2 or bool_or(uc_id = 'inteira')
