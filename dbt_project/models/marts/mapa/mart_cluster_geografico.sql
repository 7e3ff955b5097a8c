-- Three places within a kilometre of one another make a cluster: of those in the top tenth by energy
-- (demanda), and of those with generation (gd). A place is a pole, or a unit's own point.
{{ config(indexes=[{'columns': ['geom'], 'type': 'gist'}]) }}

{% set chaves = ['ano', 'distribuidora_id', 'tipo', 'cluster_id'] %}
{% set medidas = ['lugares', 'quantidade_leads', 'energia_anual_kwh', 'leads_com_geracao', 'area'] %}
with unidades as (
    {{ unidades_no_mapa(
        ref('lead_bruto'), ref('lead_resumo_anual'), ref('classe_consumo'), ref('ponto_notavel')) }}
),

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
        count(*) filter (where possui_geracao) as leads_com_geracao
    from unidades
    group by ano, distribuidora_id, longitude, latitude
),

limites as (
    select
        ano,
        distribuidora_id,
        percentile_cont(0.9) within group (order by energia) as do_decimo
    from lugares
    group by ano, distribuidora_id
),

escolhidos as (
    select
        l.*,
        t.tipo,
        {{ no_plano('l.longitude', 'l.latitude') }} as ponto
    from lugares as l
    inner join limites as m on l.ano = m.ano and l.distribuidora_id = m.distribuidora_id
    cross join (values ('demanda'), ('gd')) as t (tipo)
    where
        (t.tipo = 'demanda' and l.energia >= m.do_decimo and l.energia > 0)
        or (t.tipo = 'gd' and l.leads_com_geracao > 0)
),

agrupados as (
    select
        *,
        {{ postgis() }}st_clusterdbscan(ponto, 1000, 3) over (
            partition by ano, distribuidora_id, tipo
            order by longitude, latitude
        ) as grupo
    from escolhidos
),

somados as (
    select
        ano,
        distribuidora_id,
        tipo,
        grupo,
        count(*) as lugares,
        sum(leads)::bigint as leads,
        sum(leads_pf)::bigint as leads_pf,
        sum(energia) as energia,
        max(maior) as maior,
        sum(energia_pf) as energia_pf,
        max(maior_pf) as maior_pf,
        sum(leads)::bigint as quantidade_leads,
        sum(energia) as energia_anual_kwh,
        sum(leads_com_geracao)::bigint as leads_com_geracao,
        {{ postgis() }}st_convexhull({{ postgis() }}st_collect(ponto)) as area
    from agrupados
    where grupo is not null
    group by ano, distribuidora_id, tipo, grupo
),

celulas as (
    select
        *,
        row_number() over (
            partition by ano, distribuidora_id, tipo
            order by
                case tipo when 'gd' then leads_com_geracao else energia end desc nulls last,
                energia desc nulls last,
                {{ postgis() }}st_xmin(area),
                {{ postgis() }}st_ymin(area)
        )::integer as cluster_id
    from somados
),

{{ esconde_em_totais('celulas', chaves, [['ano', 'distribuidora_id', 'tipo']]) }},

mostrados as (
    select
        {{ 'c.' ~ chaves | join(', c.') }},
        coalesce(o.oculta, false) as suprimido,
        {{ medidas_mostradas('c', 'o.oculta', medidas) }}
    from celulas as c
    left join escondidas as o on {{ mesma_chave('c', 'o', chaves) }}
)

select
    lugares,
    quantidade_leads,
    energia_anual_kwh,
    leads_com_geracao,
    distribuidora_id,
    cluster_id,
    ano,
    suprimido,
    tipo,
    {{ do_plano('area') }}::{{ postgis() }}geometry (geometry, 4674) as geom
from mostrados
