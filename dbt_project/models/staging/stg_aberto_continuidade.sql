select
    arquivo_id,
    linha,
    {{ texto('sigagente') }} as sig_agente,
    {{ cnpj('numcnpj') }} as cnpj,
    {{ decimal_br('ideconjundconsumidoras') }}::integer as conjunto_id,
    {{ texto('dscconjundconsumidoras') }} as nome,
    upper(btrim(sigindicador)) as indicador,
    {{ decimal_br('anoindice') }}::smallint as ano,
    {{ decimal_br('numperiodoindice') }}::integer as mes,
    {{ decimal_br('vlrindiceenviado') }} as valor
from {{ source('aberto', 'aberto_continuidade') }}
