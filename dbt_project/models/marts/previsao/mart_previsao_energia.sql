{{ config(materialized='view', barreira=true) }}
-- What is trained on a safra that was taken out is not shown.
select
    p.distribuidora_id,
    p.nivel,
    p.serie_id,
    p.competencia,
    case when not p.suprimido then p.media end as media,
    case when not p.suprimido then p.inferior_80 end as inferior_80,
    case when not p.suprimido then p.superior_80 end as superior_80,
    case when not p.suprimido then p.inferior_95 end as inferior_95,
    case when not p.suprimido then p.superior_95 end as superior_95,
    p.modelo,
    p.treinado_ate,
    p.suprimido
from {{ ref('previsao_energia') }} as p
inner join {{ ref('safra_publicada') }} as s
    on p.distribuidora_id = s.distribuidora_id and extract(year from p.treinado_ate) = s.ano
