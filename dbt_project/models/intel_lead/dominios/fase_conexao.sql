select
    id,
    descricao,
    fios,
    fases
from {{ ref('fase_conexao_dominio') }}
