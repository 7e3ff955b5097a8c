select
    id,
    descricao,
    grupo,
    tipo_cliente
from {{ ref('classe_consumo_dominio') }}
