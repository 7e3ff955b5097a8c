-- The grid's origin is the projection's, so a cell has one name in every safra. Units that have no place but
-- their município's point are in no cell.
{{ config(indexes=[{'columns': ['geom'], 'type': 'gist'}]) }}

{% set chaves = ['ano', 'distribuidora_id', 'tamanho_m', 'hexagono'] %}
{% set medidas = ['quantidade_leads', 'energia_anual_kwh', 'media_dic_anual_h', 'leads_com_geracao'] %}
with unidades as (
    {{ unidades_no_mapa(
        ref('lead_bruto'), ref('lead_resumo_anual'), ref('classe_consumo'), ref('ponto_notavel')) }}
),

-- A pole's units share a point: each is placed once.
lugares as (
    select
        ano,
        distribuidora_id,
        longitude,
        latitude,
        count(*) as leads,
        count(*) filter (where pessoa_fisica) as leads_pf,
        sum(energia_anual_kwh) as energia,
        max(energia_anual_kwh) as maior,
        sum(energia_anual_kwh) filter (where pessoa_fisica) as energia_pf,
        max(energia_anual_kwh) filter (where pessoa_fisica) as maior_pf,
        sum(dic_h) as dic_h,
        count(dic_h) as leads_com_dic,
        count(*) filter (where possui_geracao) as leads_com_geracao
    from unidades
    group by ano, distribuidora_id, longitude, latitude
),

planos as (
    select
        *,
        {{ no_plano('longitude', 'latitude') }} as ponto
    from lugares
),

-- A point on an edge is of one cell.
colocados as (
    select
        p.*,
        t.tamanho_m,
        h.i,
        h.j
    from planos as p
    cross join (values (500), (2000), (8000)) as t (tamanho_m)
    cross join lateral (
        select
            g.i,
            g.j
        from {{ postgis() }}st_hexagongrid(t.tamanho_m, p.ponto) as g
        where {{ postgis() }}st_intersects(g.geom, p.ponto)
        order by g.i, g.j
        limit 1
    ) as h
),

celulas as (
    select
        ano,
        distribuidora_id,
        tamanho_m,
        i,
        j,
        i || ':' || j as hexagono,
        sum(leads)::bigint as leads,
        sum(leads_pf)::bigint as leads_pf,
        sum(energia) as energia,
        max(maior) as maior,
        sum(energia_pf) as energia_pf,
        max(maior_pf) as maior_pf,
        sum(leads)::bigint as quantidade_leads,
        sum(energia) as energia_anual_kwh,
        sum(dic_h) / nullif(sum(leads_com_dic), 0) as media_dic_anual_h,
        sum(leads_com_geracao)::bigint as leads_com_geracao
    from colocados
    group by ano, distribuidora_id, tamanho_m, i, j
),

{{ esconde_em_totais('celulas', chaves, [['ano', 'distribuidora_id', 'tamanho_m']]) }}

select
    {{ medidas_mostradas('c', 'o.oculta', medidas) }},
    c.distribuidora_id,
    c.tamanho_m,
    c.ano,
    coalesce(o.oculta, false) as suprimido,
    c.hexagono,
    {{ do_plano(postgis() ~ 'st_hexagon(c.tamanho_m, c.i, c.j, ' ~ origem_do_plano() ~ ')') }}
    ::{{ postgis() }}geometry (polygon, 4674) as geom
from celulas as c
left join escondidas as o on {{ mesma_chave('c', 'o', chaves) }}
