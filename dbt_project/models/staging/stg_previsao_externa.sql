select
    distribuidora_id,
    nivel,
    serie_id,
    competencia,
    modelo,
    media,
    inferior,
    superior,
    treinado_ate
from {{ source('previsao', 'previsao_externa') }}
