{{ config(materialized='view', contract={'enforced': false}) }}
select
    distribuidora_id,
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
from {{ ref('stg_previsao_energia') }}
