select
    arquivo_id,
    linha,
    {{ texto('codceg') }} as ceg,
    {{ decimal_br('idenucleoceg') }}::integer as nucleo_ceg,
    {{ texto('nomempreendimento') }} as nome,
    {{ texto('sigufprincipal') }} as uf,
    {{ texto('sigtipogeracao') }} as tipo_geracao,
    {{ dito('dscfaseusina') }} as fase,
    {{ dito('dscorigemcombustivel') }} as origem,
    {{ dito('dscfontecombustivel') }} as fonte,
    {{ dito('dsctipooutorga') }} as outorga,
    case
        when extract(year from {{ data_br('datentradaoperacao') }}) > 1900 then {{ data_br('datentradaoperacao') }}
    end as entrada_operacao,
    {{ decimal_br('mdapotenciaoutorgadakw') }} as potencia_outorgada_kw,
    {{ decimal_br('mdapotenciafiscalizadakw') }} as potencia_fiscalizada_kw,
    {{ decimal_br('mdagarantiafisicakw') }} as garantia_fisica_kw,
    {{ decimal_br('numcoordnempreendimento') }} as latitude,
    {{ decimal_br('numcoordeempreendimento') }} as longitude,
    {{ texto('dscmuninicpios') }} as municipios
from {{ source('aberto', 'aberto_siga') }}
