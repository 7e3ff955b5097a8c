select
    arquivo_id,
    linha,
    {{ decimal_br('codmun7') }}::integer as codigo_municipio,
    {{ decimal_br('ano') }}::smallint as ano,
    {{ decimal_br('rdpc') }} as valor
from {{ source('aberto', 'aberto_renda') }}
