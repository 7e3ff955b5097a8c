{{ config(materialized='view') }}
-- depends_on: {{ ref('safra_publicada') }}
select
    'estimativa' as tipo,
    distribuidora_id,
    ano,
    'camada' as nivel,
    'UCAT' as serie_id,
    modelo,
    mae,
    mape,
    null::double precision as mase,
    smape,
    null::double precision as cobertura_80,
    null::double precision as cobertura_95,
    -- What is shown of a unit without measured posts: the curve's where it has one.
    true as publicado
from {{ ref('desempenho_estimativa') }}
