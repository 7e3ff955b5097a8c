select
    arquivo_id,
    linha,
    {{ texto('sigagentedistribuidora') }} as sig_agente,
    {{ cnpj('numcnpjagentedistribuidora') }} as cnpj,
    {{ dito('nomtipomercado') }} as tipo_mercado,
    upper({{ dito('dscsubgrupotarifario') }}) as subgrupo,
    {{ dito('dscclasseconsumomercado') }} as classe,
    upper({{ dito('dscopcaoenergia') }}) as opcao_energia,
    {{ sigla_agente('dscdetalhemercado') }} as detalhe,
    {{ mes_br('datcompetencia') }} as competencia,
    {{ decimal_br('vlrmercado') }} as valor,
    coalesce(nomtipomercado ilike '%refaturamento%', false) or vlrmercado like '%-%' as refaturamento
from {{ source('aberto', 'aberto_samp') }}
