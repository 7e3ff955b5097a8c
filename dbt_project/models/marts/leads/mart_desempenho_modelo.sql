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
union all
-- Of a unit nothing but the naive can be said, so nothing beats it: mase is 1 by its definition.
select
    'previsao' as tipo,
    f.distribuidora_id,
    f.ano,
    'uc' as nivel,
    f.perfil_id as serie_id,
    'ingenuo_sazonal' as modelo,
    case when not m.suprimido then f.mae end as mae,
    case when not m.suprimido then f.mape end as mape,
    case when f.mae > 0 then 1 end as mase,
    case when not m.suprimido then f.smape end as smape,
    case when not m.suprimido then f.cobertura_80 end as cobertura_80,
    case when not m.suprimido then f.cobertura_95 end as cobertura_95,
    true as publicado
from {{ ref('previsao_faixa') }} as f
inner join {{ ref('mart_perfil_consumo') }} as m
    on f.perfil_id = m.perfil_id and f.ano = m.ano and f.distribuidora_id = m.distribuidora_id
union all
select
    'externo' as tipo,
    distribuidora_id,
    ano,
    nivel,
    serie_id,
    modelo,
    case when not suprimido then mae end as mae,
    case when not suprimido then mape end as mape,
    case when not suprimido then mase end as mase,
    case when not suprimido then smape end as smape,
    null::double precision as cobertura_80,
    case when not suprimido then cobertura_95 end as cobertura_95,
    false as publicado
from {{ ref('previsao_externa_desempenho') }}
