select
    arquivo_id,
    linha,
    {{ texto('sigagente') }} as sig_agente,
    {{ cnpj('numcnpj') }} as cnpj,
    {{ decimal_br('ideconjundconsumidoras') }}::integer as conjunto_id,
    {{ texto('dscconjundconsumidoras') }} as nome,
    upper(btrim(sigindicador)) as indicador,
    {{ decimal_br('anolimitequalidade') }}::smallint as ano,
    {{ decimal_br('vlrlimite') }} as limite
from {{ source('aberto', 'aberto_continuidade_limite') }}
