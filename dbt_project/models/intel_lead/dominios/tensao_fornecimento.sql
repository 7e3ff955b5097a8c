select
    id,
    descricao,
    tensao_v
from {{ ref('tensao_fornecimento_dominio') }}
