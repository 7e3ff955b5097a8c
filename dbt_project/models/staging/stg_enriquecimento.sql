-- A step that found nothing of the safra's in what it read did not run for it.
select
    e.etapa,
    e.ano,
    e.distribuidora_id,
    e.desfeita
from {{ source('enriquecimento', 'enriquecimento_da_safra') }} as e
where e.sinal <> ''
