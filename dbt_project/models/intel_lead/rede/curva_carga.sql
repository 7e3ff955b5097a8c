-- depends_on: {{ ref('lead_bruto') }} (it enters an unknown distribuidora, which this one references)
-- Only the shape counts: a curve with a hole, or that sums to nothing, is none.
with curvas as (
    select
        *,
        (select sum(p.kw) from unnest(potencia) as p (kw)) as soma
    from {{ ref('stg_crvcrg') }}
    where tipo_dia in ('DU', 'SA', 'DO') and array_position(potencia, null) is null
)

select distinct on (ano, distribuidora_id, tipo_curva_carga, tipo_dia)
    import_id,
    distribuidora_id,
    ano,
    tipo_curva_carga,
    tipo_dia,
    potencia
from curvas
where tipo_curva_carga is not null and soma > 0
order by ano asc, distribuidora_id asc, tipo_curva_carga asc, tipo_dia asc, linha desc
