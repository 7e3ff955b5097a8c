{{ config(materialized='view', contract={'enforced': false}) }}
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
from {{ ref('stg_previsao_desempenho') }}
