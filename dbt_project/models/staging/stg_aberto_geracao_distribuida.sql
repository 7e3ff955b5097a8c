select
    arquivo_id,
    linha,
    upper(btrim(codempreendimento)) as ceg_gd,
    {{ texto('sigagente') }} as sig_agente,
    {{ cnpj('numcnpjdistribuidora') }} as cnpj,
    {{ decimal_br('codmunicipioibge') }}::integer as codigo_municipio,
    {{ dito('dscclasseconsumo') }} as classe,
    upper({{ dito('dscsubgrupotarifario') }}) as subgrupo,
    upper({{ dito('sigtipoconsumidor') }}) as tipo_consumidor,
    upper({{ dito('sigmodalidadeempreendimento') }}) as modalidade,
    upper({{ dito('sigtipogeracao') }}) as tipo_geracao,
    {{ dito('dscfontegeracao') }} as fonte,
    {{ dito('dscporte') }} as porte,
    {{ decimal_br('mdapotenciainstaladakw') }} as potencia_kw,
    {{ decimal_br('qtducrecebecredito') }}::integer as unidades_com_credito,
    {{ data_dita('dthatualizacadastralempreend') }} as atualizada_em
from {{ source('aberto', 'aberto_geracao_distribuida') }}
