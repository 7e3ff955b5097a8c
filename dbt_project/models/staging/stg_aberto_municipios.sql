select
    arquivo_id,
    linha,
    {{ decimal_br('id') }}::integer as municipio_id,
    {{ texto('nome') }} as nome,
    {{ texto('uf_sigla') }} as uf,
    {{ texto('regiao_imediata') }} as regiao_imediata,
    {{ texto('regiao_intermediaria') }} as regiao_intermediaria,
    {{ texto('microrregiao') }} as microrregiao,
    {{ texto('mesorregiao') }} as mesorregiao
from {{ source('aberto', 'aberto_municipios') }}
