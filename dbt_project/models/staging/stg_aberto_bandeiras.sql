select
    arquivo_id,
    linha,
    {{ mes_br('datcompetencia') }} as competencia,
    {{ texto('nombandeiraacionada') }} as bandeira,
    {{ decimal_br('vlradicionalbandeira') }} as adicional_brl_mwh
from {{ source('aberto', 'aberto_bandeiras') }}
