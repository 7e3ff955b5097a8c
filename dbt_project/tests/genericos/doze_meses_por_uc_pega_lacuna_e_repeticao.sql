-- doze_meses_por_uc returns the UC with eleven months and the one with a month twice, not the whole one.
with meses as (
    select 'inteira' as uc_id, g as mes from generate_series(1, 12) as g
    union all
    select 'onze', g from generate_series(1, 11) as g
    union all
    select 'repetida', least(g, 11) from generate_series(1, 12) as g
),

achadas as (
    {{ test_doze_meses_por_uc("meses") }}
)

select count(*) as achadas
from achadas
having count(*) <> 2 or bool_or(uc_id = 'inteira')
