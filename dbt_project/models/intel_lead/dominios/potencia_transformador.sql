select
    id,
    descricao,
    potencia_kva
from {{ ref('potencia_transformador_dominio') }}
