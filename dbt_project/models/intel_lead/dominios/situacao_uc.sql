select
    id,
    descricao
from {{ ref('situacao_uc_dominio') }}
