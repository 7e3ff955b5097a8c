select
    id,
    descricao,
    grupo,
    modalidade_tarifaria_id
from {{ ref('subgrupo_tarifario_dominio') }}
