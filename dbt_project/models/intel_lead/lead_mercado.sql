{{ config(safra_pai='lead_bruto') }}

-- What the offers ask of a legal person's unit, in one row; natural persons have none.
with classes as (
    select * from {{ ref('classe_consumo') }}
),

leads as (
    select
        l.*,
        c.descricao as classe_consumo,
        c.grupo as classe,
        p.demanda_maxima_kw,
        p.demanda_ponta_kw,
        p.razao_demanda,
        p.energia_anual_kwh,
        p.energia_ponta_kwh,
        p.participacao_ponta,
        p.fator_carga,
        p.sazonalidade,
        p.origem_perfil,
        p.energia_mes,
        p.energia_ponta_mes,
        a.dic_anual_h,
        a.fic_anual as fic_anual_total
    from {{ ref('lead_bruto') }} as l
    inner join classes as c on l.classe_consumo_id = c.id
    inner join {{ ref('lead_perfil') }} as p on l.uc_id = p.uc_id
    inner join {{ ref('lead_resumo_anual') }} as a on l.uc_id = a.uc_id
    where {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }}
),

medianas as (
    {{ medianas_do_conjunto(ref('lead_bruto'), ref('lead_resumo_anual')) }}
),

-- Units that have a captive row which another one superseded, with the last month that it billed: 0 for a row
-- that billed none.
cativas as (
    select
        uc_id,
        max(coalesce(meses_com_energia[cardinality(meses_com_energia)], 0)) as ultimo_mes
    from {{ ref('lead_historico') }}
    where not livre
    group by uc_id
),

regras as (
    select * from {{ ref('regra_mercado_livre') }}
    where condicao = 'todas'
),

-- The longest code wins: a group's over its division's.
criticidades as (
    select distinct on (cn.id)
        cn.id as cnae_id,
        k.criticidade
    from {{ ref('cnae') }} as cn
    inner join {{ ref('criticidade_cnae') }} as k on cn.id like k.id || '%'
    order by cn.id asc, length(k.id) desc
),

areas as (
    select
        municipio_id,
        {{ postgis() }}st_geomfromtext(wkt, 4674) as geom
    from {{ ref('area_estrategica') }}
),

-- Of the plants that a unit's CEG names; one that was switched off generates no more.
geradoras as (
    select
        ceg_gd,
        sum(potencia_instalada_kw) as kw
    from {{ ref('geracao') }}
    where ceg_gd is not null and situacao_uc_id is distinct from 'DS'
    group by ceg_gd
),

ha_areas as (
    select count(*) > 0 as ha
    from areas
),

situados as (
    select
        l.*,
        {{ lugar_do_lead() }},
        m.nome as municipio,
        m.uf
    from leads as l
    left join {{ ref('ponto_notavel') }} as p
        on
            l.ano = p.ano
            and l.distribuidora_id = p.distribuidora_id
            and l.pn_con = p.cod_id
    left join {{ ref('lead_empresa') }} as g
        on
            l.ano = g.ano
            and l.distribuidora_id = g.distribuidora_id
            and l.uc_id = g.uc_id
            and g.latitude is not null
    left join {{ ref('municipio') }} as m on l.municipio_id = m.id
),

nas_areas as (
    select distinct
        l.uc_id,
        true as dentro
    from situados as l
    inner join areas as ae
        on l.municipio_id = ae.municipio_id or {{ postgis() }}st_intersects(ae.geom, l.geom)
),

marcados as (
    select
        l.*,
        d.nome as distribuidora,
        {{ segmento_da_unidade() }} as segmento_final,
        case
            when l.segmento_mercado_id is not null then 'cnae'
            when ce.segmento_mercado_id is not null then 'empresa'
            when cs.segmento_mercado_id is not null then 'classe'
        end as segmento_origem,
        coalesce(l.cnae_id, ce.id) as cnae_final,
        case when l.cnae_id is not null then 'bdgd' when ce.id is not null then 'empresa' end as cnae_origem,
        coalesce(cn.descricao, ce.descricao) as cnae,
        l.origem in ('UCAT', 'UCMT') and coalesce(st.grupo = 'B', false) as optante_b,
        case when l.origem = 'UCBT' then 'B' else 'A' end as grupo,
        -- High voltage begins at 69 kV, whatever its code says or leaves out.
        coalesce(tf.tensao_v / 1000, case l.origem when 'UCAT' then 69 end) as tensao_kv,
        coalesce(k.criticidade, {{ parametro('criticidade_padrao') }}) as criticidade,
        cj.nome as conjunto,
        md.dic_mediana_h,
        md.fic_mediana,
        ir.inadimplencia_pct
    from situados as l
    inner join {{ ref('distribuidora') }} as d on l.distribuidora_id = d.id
    left join {{ ref('classe_segmento') }} as cs on l.classe_consumo_id = cs.classe_consumo_id
    left join {{ ref('lead_empresa') }} as em on l.uc_id = em.uc_id and em.preenche_cnae and l.cnae_id is null
    left join {{ ref('cnae') }} as ce on em.cnae_id = ce.id
    left join {{ ref('cnae') }} as cn on l.cnae_id = cn.id
    left join {{ ref('subgrupo_tarifario') }} as st on l.subgrupo_tarifario_id = st.id
    left join {{ ref('tensao_fornecimento') }} as tf on l.tensao_fornecimento_id = tf.id
    left join criticidades as k on coalesce(l.cnae_id, ce.id) = k.cnae_id
    left join {{ ref('conjunto') }} as cj
        on
            l.ano = cj.ano
            and l.distribuidora_id = cj.distribuidora_id
            and l.conjunto_id = cj.conjunto_id
    left join medianas as md
        on
            l.ano = md.ano
            and l.distribuidora_id = md.distribuidora_id
            and l.conjunto_id = md.conjunto_id
    left join {{ ref('inadimplencia_regiao') }} as ir on l.uf = ir.uf
),

-- Peers in consumption: the same voltage and segment, the voltage alone where they are fewer than thirty.
pares_do_segmento as (
    select
        ano,
        distribuidora_id,
        origem,
        segmento_final,
        percentile_cont(0.5) within group (order by energia_anual_kwh) as mediana_kwh
    from marcados
    where energia_anual_kwh > 0
    group by ano, distribuidora_id, origem, segmento_final
    having count(*) >= {{ parametro('comparacao_minimo_leads') }}
),

pares_da_tensao as (
    select
        ano,
        distribuidora_id,
        origem,
        percentile_cont(0.5) within group (order by energia_anual_kwh) as mediana_kwh
    from marcados
    where energia_anual_kwh > 0
    group by ano, distribuidora_id, origem
)

select
    l.uc_id,
    l.latitude_final as latitude,
    l.longitude_final as longitude,
    l.pac as demanda_contratada_kw,
    l.demanda_maxima_kw,
    l.demanda_ponta_kw,
    l.razao_demanda,
    l.energia_anual_kwh,
    l.energia_ponta_kwh,
    l.participacao_ponta,
    l.fator_carga,
    l.sazonalidade,
    l.dic_anual_h,
    l.fic_anual_total as fic_anual,
    l.dic_mediana_h as dic_mediana_conjunto_h,
    l.fic_mediana as fic_mediana_conjunto,
    coalesce(ps.mediana_kwh, pt.mediana_kwh) as energia_mediana_pares_kwh,
    l.criticidade,
    l.inadimplencia_pct,
    gd.kw as gd_kw,
    l.distribuidora_id,
    l.municipio_id,
    l.conjunto_id,
    r.desde as mercado_livre_desde,
    make_date(l.ano, g.mes, 1) as migrou_em,
    l.origem,
    l.ano,
    coalesce(l.livre, false) as livre,
    l.optante_b,
    l.possui_geracao,
    case when ae.ha then coalesce(na.dentro, false) end as area_estrategica,
    coalesce(l.situacao_uc_id = 'DS', false) as desativada,
    l.cod_id,
    l.distribuidora,
    l.municipio,
    l.uf,
    l.bairro,
    l.cep,
    l.origem_coordenada,
    l.classe_consumo_id,
    l.classe_consumo,
    l.classe,
    l.segmento_final as segmento_mercado_id,
    sm.descricao as segmento_mercado,
    l.segmento_origem,
    l.cnae_final as cnae_id,
    l.cnae_origem,
    l.cnae,
    l.subgrupo_tarifario_id,
    coalesce(su.descricao, 'Não informada') as situacao,
    l.circuito,
    l.transformador,
    l.conjunto,
    l.origem_perfil,
    l.energia_mes,
    l.energia_ponta_mes,
    l.geom
from marcados as l
left join cativas as ct on l.uc_id = ct.uc_id
left join geradoras as gd on l.ceg_gd = gd.ceg_gd
left join pares_do_segmento as ps
    on
        l.ano = ps.ano
        and l.distribuidora_id = ps.distribuidora_id
        and l.origem = ps.origem
        and l.segmento_final = ps.segmento_final
left join pares_da_tensao as pt
    on
        l.ano = pt.ano
        and l.distribuidora_id = pt.distribuidora_id
        and l.origem = pt.origem
cross join ha_areas as ae
left join nas_areas as na on l.uc_id = na.uc_id
left join {{ ref('segmento_mercado') }} as sm on l.segmento_final = sm.id
left join {{ ref('situacao_uc') }} as su on l.situacao_uc_id = su.id
left join
    lateral (
        select min(r.inicio) as desde
        from regras as r
        where
            r.grupo = l.grupo
            and (r.tensao_min_kv is null or l.tensao_kv >= r.tensao_min_kv)
            and (r.demanda_min_kw is null or l.pac >= r.demanda_min_kw)
            and (r.classe is null or r.classe = l.classe)
    ) as r
    on true
left join
    lateral (
        select min(m.mes)::integer as mes
        from unnest(l.energia_mes) with ordinality as m (kwh, mes)
        where l.livre and m.mes > ct.ultimo_mes and m.kwh <> 0
    ) as g
    on true
