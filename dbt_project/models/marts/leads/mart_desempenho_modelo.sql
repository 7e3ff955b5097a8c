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
union all
select
    'previsao' as tipo,
    p.distribuidora_id,
    p.ano,
    p.nivel,
    p.serie_id,
    p.modelo,
    case when not p.suprimido then p.mae end as mae,
    case when not p.suprimido then p.mape end as mape,
    case when not p.suprimido then p.mase end as mase,
    case when not p.suprimido then p.smape end as smape,
    case when not p.suprimido then p.cobertura_80 end as cobertura_80,
    case when not p.suprimido then p.cobertura_95 end as cobertura_95,
    p.publicado
from {{ ref('previsao_desempenho') }} as p
inner join {{ ref('safra_publicada') }} as s
    on p.distribuidora_id = s.distribuidora_id and p.ano = s.ano
