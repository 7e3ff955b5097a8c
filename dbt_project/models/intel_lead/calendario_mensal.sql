-- From the smallest table that every safra has.
with safras as (
    select distinct
        ano,
        distribuidora_id
    from {{ ref('carga_resumo') }}
),

postos as (
    select distinct on (s.ano, s.distribuidora_id)
        s.ano,
        s.distribuidora_id,
        p.inicio,
        p.fim
    from safras as s
    inner join {{ ref('posto_tarifario_hora') }} as p
        on coalesce(p.distribuidora_id, s.distribuidora_id) = s.distribuidora_id
    order by
        s.ano asc,
        s.distribuidora_id asc,
        p.distribuidora_id asc nulls last,
        p.vigencia <= make_date(s.ano, 12, 31) desc,
        p.vigencia desc
)

select
    p.distribuidora_id,
    p.ano,
    extract(month from d.dia)::smallint as mes,
    count(*) filter (where f.data is null and extract(isodow from d.dia) < 6)::smallint as dias_uteis,
    count(*) filter (where f.data is null and extract(isodow from d.dia) = 6)::smallint as sabados,
    count(*) filter (where f.data is not null or extract(isodow from d.dia) = 7)::smallint as domingos,
    p.inicio as inicio_ponta,
    p.fim as fim_ponta
from postos as p
cross join
    lateral generate_series(
        make_date(p.ano, 1, 1), make_date(p.ano, 12, 31), interval '1 day'
    ) as d (dia)
left join {{ ref('feriado') }} as f on d.dia::date = f.data
group by p.distribuidora_id, p.ano, extract(month from d.dia), p.inicio, p.fim
