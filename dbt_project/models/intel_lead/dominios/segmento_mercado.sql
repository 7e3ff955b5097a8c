select
    id,
    descricao
from {{ ref('segmento_mercado_dominio') }}
