{{ config(safra_pai='lead_bruto') }}
-- depends_on: {{ ref('lead_bruto') }}

with series as (
    select * from {{ ref('lead_serie') }}
)

select
    s.uc_id,
    m.dic,
    m.fic,
    s.distribuidora_id,
    s.origem,
    s.ano,
    m.mes::smallint as mes
from series as s,
    unnest(s.dic, s.fic) with ordinality as m (dic, fic, mes)
where s.dic is not null or s.fic is not null
