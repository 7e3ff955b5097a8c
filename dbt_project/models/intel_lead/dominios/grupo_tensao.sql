select
    id,
    descricao
from {{ ref('grupo_tensao_dominio') }}
