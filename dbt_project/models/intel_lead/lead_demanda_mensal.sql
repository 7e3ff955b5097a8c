{{ config(safra_pai='lead_bruto') }}

with series as (
    select * from {{ ref('lead_serie') }}
    where demanda_total is not null or demanda_ponta is not null
),

leads as (
    select * from {{ ref('lead_bruto') }}
)

select
    s.uc_id,
    coalesce(m.total, greatest(m.ponta, m.fora_ponta)) as demanda_total,
    m.ponta as demanda_ponta,
    m.fora_ponta as demanda_fora_ponta,
    l.pac as demanda_contratada,
    s.distribuidora_id,
    s.origem,
    s.ano,
    m.mes::smallint as mes
from series as s
inner join leads as l
    on
        s.uc_id = l.uc_id
        and s.ano = l.ano
        and s.distribuidora_id = l.distribuidora_id,
    unnest(s.demanda_total, s.demanda_ponta, s.demanda_fora_ponta)
    with ordinality as m (total, ponta, fora_ponta, mes)
