-- One município, one row: its totals by year, the newest year's bairros, what is known of it, its best leads.
-- No row: there is no such município.
with anos as (
    select
        max(ano) as ultimo,
        jsonb_agg(to_jsonb(r) order by r.ano desc) as json
    from marts.resumo_municipio as r
    where r.municipio_id = %(id)s
),

bairros as (
    select jsonb_agg(
        to_jsonb(b) - '{geom,municipio,uf,municipio_id}'::text[]
        order by b.energia_anual_kwh desc nulls last, b.distribuidora_id, b.bairro
    ) as json
    from marts.resumo_bairro as b
    where b.municipio_id = %(id)s and b.ano = (select ultimo from anos)
),

melhores as (
    select jsonb_agg(to_jsonb(m) order by m.melhor_score desc, m.uc_id) as json
    from (
        select
            l.uc_id, l.distribuidora_id, l.segmento_mercado, l.energia_anual_kwh,
            l.demanda_contratada_kw, l.melhor_oferta, l.melhor_score
        from marts.mart_lead as l
        where l.municipio_id = %(id)s and l.melhor_score is not null
        order by l.melhor_score desc, l.uc_id
        limit 10
    ) as m
)

select
    to_jsonb(c) as contexto,
    coalesce((select json from anos), '[]') as anos,
    coalesce((select json from bairros), '[]') as bairros,
    coalesce((select json from melhores), '[]') as melhores_leads
from marts.mart_contexto_municipio as c
where c.municipio_id = %(id)s
