select
    arquivo_id,
    linha,
    {{ decimal_br('d1c') }}::integer as municipio_id,
    {{ decimal_br('d3c') }}::smallint as ano,
    {{ decimal_br('v') }} as valor
from {{ source('aberto', 'aberto_pib') }}
