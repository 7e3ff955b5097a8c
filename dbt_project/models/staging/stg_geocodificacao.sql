select
    cnpj,
    latitude,
    longitude
from {{ source('empresas', 'geocodificacao') }}
