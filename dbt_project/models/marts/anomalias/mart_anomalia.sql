{{ config(materialized='view', barreira=true) }}
-- depends_on: {{ ref('safra_publicada') }}
select
    nivel,
    serie_id,
    uc_id,
    distribuidora_id,
    ano,
    tipo,
    mes,
    valor,
    esperado,
    escore,
    evidencia
from {{ ref('anomalia') }}
where visivel
