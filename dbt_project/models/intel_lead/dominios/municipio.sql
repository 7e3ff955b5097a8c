select
    id,
    nome,
    uf,
    regiao,
    latitude,
    longitude
from {{ ref('municipio_dominio') }}
