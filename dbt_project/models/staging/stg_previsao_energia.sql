select
    distribuidora_id,
    ano,
    nivel,
    serie_id,
    competencia,
    media,
    inferior_80,
    superior_80,
    inferior_95,
    superior_95,
    modelo,
    treinado_ate,
    suprimido
from {{ source('previsao', 'previsao_energia') }}
