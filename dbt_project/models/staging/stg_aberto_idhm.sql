select
    arquivo_id,
    linha,
    {{ decimal_br('codmun7') }}::integer as codigo_municipio,
    {{ decimal_br('ano') }}::smallint as ano,
    {{ decimal_br('idhm') }} as valor
from {{ source('aberto', 'aberto_idhm') }}
