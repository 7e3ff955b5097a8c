select
    upper(btrim(estacao)) as estacao,
    {{ texto('nome') }} as nome,
    upper(btrim(uf)) as uf,
    {{ decimal_br('latitude') }} as latitude,
    {{ decimal_br('longitude') }} as longitude,
    {{ mes_br('data') }} as competencia,
    {{ decimal_br('temperatura_c') }} as temperatura_c,
    {{ decimal_br('precipitacao_mm') }} as precipitacao_mm,
    {{ decimal_br('umidade_pct') }} as umidade_pct
from {{ source('aberto', 'aberto_clima') }}
