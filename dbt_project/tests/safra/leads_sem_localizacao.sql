-- Every lead has a place: its own, its ponto notável's or its município's. A returned row is a safra with
-- leads that have none (a file without PONNOT and with unknown município codes).
{{ config(severity='warn') }}

select
    ano,
    distribuidora_id,
    count(*) as leads
from {{ ref('lead_enrichment_log') }}
where etapa = 'coordenada' and resultado = 'failed'
group by ano, distribuidora_id
