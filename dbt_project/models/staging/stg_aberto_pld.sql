-- The period is the hour within the month, from 1; day and hour say it again where they come.
select
    arquivo_id,
    linha,
    upper(btrim(submercado)) as submercado,
    {{ mes_br('mes_referencia') }} + (
        case
            when {{ decimal_br('dia') }} between 1 and 31 and {{ decimal_br('hora') }} between 0 and 23
                then 24 * ({{ decimal_br('dia') }}::integer - 1) + {{ decimal_br('hora') }}::integer
            when {{ decimal_br('periodo_comercializacao') }} between 1 and 31 * 24
                then {{ decimal_br('periodo_comercializacao') }}::integer - 1
        end
    ) * interval '1 hour' as hora,
    {{ decimal_br('pld_hora') }} as pld_brl_mwh
from {{ source('aberto', 'aberto_pld') }}
