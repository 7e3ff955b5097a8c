-- The period is the hour within the month, from 1; day and hour say it again where they come.
select
    arquivo_id,
    linha,
    upper(btrim(submercado)) as submercado,
    {{ mes_br('mes_referencia') }} + (
        case
            when dia is not null and hora is not null
                then 24 * ({{ decimal_br('dia') }}::integer - 1) + {{ decimal_br('hora') }}::integer
            else {{ decimal_br('periodo_comercializacao') }}::integer - 1
        end
    ) * interval '1 hour' as hora,
    {{ decimal_br('pld_hora') }} as pld_brl_mwh
from {{ source('aberto', 'aberto_pld') }}
