{{ config(alias='safra_publicada', materialized='view') }}
select
    p.ano,
    p.distribuidora_id,
    d.nome as distribuidora,
    p.publicada_em
from {{ ref('safra_publicada') }} as p
inner join {{ ref('distribuidora') }} as d on p.distribuidora_id = d.id
