with mais_novos as (
    select distinct on (municipio_id, indicador)
        municipio_id,
        indicador,
        ano,
        valor
    from {{ ref('municipio_indicador') }}
    order by municipio_id asc, indicador asc, ano desc
),

-- The population of the year that is nearest to the GDP's: census years have no estimate.
populacao_do_pib as (
    select distinct on (p.municipio_id)
        p.municipio_id,
        i.ano,
        i.valor
    from mais_novos as p
    inner join {{ ref('municipio_indicador') }} as i
        on p.municipio_id = i.municipio_id and i.indicador = 'populacao'
    where p.indicador = 'pib_brl'
    order by p.municipio_id asc, abs(i.ano - p.ano) asc, i.ano asc
),

indicadores as (
    select
        municipio_id,
        max(valor) filter (where indicador = 'populacao') as populacao,
        max(ano) filter (where indicador = 'populacao') as populacao_ano,
        max(valor) filter (where indicador = 'pib_brl') as pib_brl,
        max(ano) filter (where indicador = 'pib_brl') as pib_ano,
        max(valor) filter (where indicador = 'idhm') as idhm,
        max(ano) filter (where indicador = 'idhm') as idhm_ano,
        max(valor) filter (where indicador = 'renda_brl_mes') as renda_brl_mes,
        max(ano) filter (where indicador = 'renda_brl_mes') as renda_ano
    from mais_novos
    group by municipio_id
),

areas as (
    select
        municipio_id,
        {{ postgis() }}st_area(geom::{{ postgis() }}geography) / 1e6 as area_km2
    from {{ ref('municipio_geometria') }}
),

bdgd as (
    select distinct on (municipio_id)
        municipio_id,
        ano,
        energia_anual_kwh / 1000 as energia_mwh,
        energia_anual_kwh * energia_livre_pct / 100000 as livre_mwh
    from {{ ref('resumo_municipio') }}
    where municipio_id is not null
    order by municipio_id asc, ano desc
),

ccee_meses as (
    select
        municipio_id,
        extract(year from competencia)::smallint as ano,
        competencia,
        consumo_livre_mwh
    from {{ ref('consumo_ccee_mensal') }}
    where municipio_id is not null
),

ccee_anos as (
    select
        municipio_id,
        ano,
        sum(consumo_livre_mwh) as livre_mwh,
        count(distinct competencia)::smallint as meses
    from ccee_meses
    group by municipio_id, ano
),

-- The BDGD's year, so that the two may be compared; else the newest.
ccee as (
    select distinct on (c.municipio_id) c.*
    from ccee_anos as c
    left join bdgd as b on c.municipio_id = b.municipio_id
    order by c.municipio_id asc, c.ano = b.ano desc nulls last, c.ano desc
),

clima_meses as (
    select
        estacao,
        extract(year from competencia)::smallint as ano,
        temperatura_media_c,
        precipitacao_mm
    from {{ ref('clima_mensal') }}
),

clima_anos as (
    select
        estacao,
        ano,
        avg(temperatura_media_c) as temperatura_media_c,
        sum(precipitacao_mm) as precipitacao_mm,
        count(*)::smallint as meses
    from clima_meses
    group by estacao, ano
),

clima as (
    select distinct on (estacao) *
    from clima_anos
    order by estacao asc, meses = 12 desc, ano desc
)

select
    m.id as municipio_id,
    m.nome as municipio,
    m.uf,
    d.regiao_imediata,
    i.populacao,
    i.populacao_ano,
    a.area_km2,
    i.populacao / nullif(a.area_km2, 0) as densidade_hab_km2,
    i.pib_brl,
    i.pib_ano,
    i.pib_brl / nullif(p.valor, 0) as pib_per_capita_brl,
    p.ano as pib_populacao_ano,
    i.idhm,
    i.idhm_ano,
    i.renda_brl_mes,
    i.renda_ano,
    b.ano as bdgd_ano,
    b.energia_mwh as bdgd_energia_mwh,
    b.livre_mwh as bdgd_livre_mwh,
    c.ano as ccee_ano,
    c.meses as ccee_meses,
    c.livre_mwh as ccee_livre_mwh,
    case when c.ano = b.ano and c.meses = 12 then b.livre_mwh - c.livre_mwh end as livre_diferenca_mwh,
    e.estacao,
    e.distancia_km as estacao_distancia_km,
    k.ano as clima_ano,
    k.meses as clima_meses,
    k.temperatura_media_c,
    k.precipitacao_mm
from {{ ref('municipio') }} as m
left join {{ ref('municipio_divisao') }} as d on m.id = d.municipio_id
left join indicadores as i on m.id = i.municipio_id
left join areas as a on m.id = a.municipio_id
left join populacao_do_pib as p on m.id = p.municipio_id
left join bdgd as b on m.id = b.municipio_id
left join ccee as c on m.id = c.municipio_id
left join {{ ref('municipio_estacao') }} as e on m.id = e.municipio_id
left join clima as k on e.estacao = k.estacao
