select
    distribuidora_id,
    ano,
    nivel,
    serie_id,
    modelo,
    meses_testados,
    mae,
    mape,
    mase,
    smape,
    cobertura_80,
    cobertura_95,
    publicado,
    suprimido
from {{ source('previsao', 'previsao_desempenho') }}
