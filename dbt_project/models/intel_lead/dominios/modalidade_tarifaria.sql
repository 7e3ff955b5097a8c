select
    id,
    descricao
from {{ ref('modalidade_tarifaria_dominio') }}
