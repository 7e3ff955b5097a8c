select
    id,
    descricao
from {{ ref('tipo_ponto_notavel_dominio') }}
