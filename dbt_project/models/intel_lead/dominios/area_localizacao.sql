select
    id,
    descricao
from {{ ref('area_localizacao_dominio') }}
