-- The sums that every rollup is made of, once per safra: a REFRESH adds cells, not leads.
with leads as (
    select
        l.ano,
        l.distribuidora_id,
        l.uc_id,
        l.origem,
        l.municipio_id,
        l.bairro,
        l.conjunto_id,
        {{ segmento_da_unidade() }} as segmento_mercado_id,
        l.subgrupo_tarifario_id,
        l.classe_consumo_id,
        l.pac,
        l.carga_instalada_kw,
        l.livre,
        l.possui_geracao,
        l.latitude,
        l.longitude,
        l.pn_con,
        not {{ pessoa_juridica('c.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }} as pessoa_fisica
    from {{ ref('lead_bruto') }} as l
    left join {{ ref('classe_consumo') }} as c on l.classe_consumo_id = c.id
    left join {{ ref('classe_segmento') }} as cs on l.classe_consumo_id = cs.classe_consumo_id
    left join {{ ref('lead_empresa') }} as em on l.uc_id = em.uc_id and em.preenche_cnae and l.cnae_id is null
    left join {{ ref('cnae') }} as ce on em.cnae_id = ce.id
),

anual as (
    select * from {{ ref('lead_resumo_anual') }}
),

perfis as (
    select * from {{ ref('lead_perfil') }}
),

-- Of ANEEL's own figures what can be compared: a whole year, both limits.
apurados as (
    select
        c.ano,
        c.distribuidora_id,
        c.conjunto_id,
        case when c.meses = 12 then c.dec_h end as dec_h,
        case when c.meses = 12 then c.fec end as fec,
        case when c.fec_limite is not null then c.dec_limite_h end as dec_limite_h,
        case when c.dec_limite_h is not null then c.fec_limite end as fec_limite
    from {{ ref('continuidade_conjunto') }} as c
),

medianas as (
    {{ medianas_do_conjunto(ref('lead_bruto'), ref('lead_resumo_anual')) }}
),

unidades as (
    select
        l.*,
        a.energia_anual_kwh,
        a.energia_ponta_anual_kwh,
        a.energia_fora_ponta_anual_kwh,
        a.enriquecimento_status,
        p.energia_ponta_kwh,
        {{ indicador_possivel('a.dic_anual_h', 'l.ano') }} as dic_h,
        {{ indicador_possivel('a.fic_anual', 'l.ano') }} as fic,
        a.dic_anual_h,
        a.fic_anual,
        m.dic_mediana_h,
        m.fic_mediana,
        ap.dec_h,
        ap.fec as fec_apurado,
        ap.dec_limite_h,
        ap.fec_limite
    from leads as l
    -- By uc_id alone, which says its safra: by all three the planner expects one row, and loops over cells.
    inner join anual as a on l.uc_id = a.uc_id
    inner join perfis as p on l.uc_id = p.uc_id
    left join medianas as m
        on l.ano = m.ano and l.distribuidora_id = m.distribuidora_id and l.conjunto_id = m.conjunto_id
    left join apurados as ap
        on
            l.ano = ap.ano
            and l.distribuidora_id = ap.distribuidora_id
            and l.conjunto_id = ap.conjunto_id
),

celulas as (
    select
        {{ dimensao_do_grupo() }} as dimensao,
        ano,
        distribuidora_id,
        origem,
        municipio_id,
        bairro,
        conjunto_id,
        segmento_mercado_id,
        subgrupo_tarifario_id,
        classe_consumo_id,
        count(*) as quantidade_leads,
        count(*) filter (where pessoa_fisica) as leads_pf,
        sum(energia_anual_kwh) as energia_anual_kwh,
        max(energia_anual_kwh) as maior_energia_anual_kwh,
        sum(energia_anual_kwh) filter (where pessoa_fisica) as energia_pf_kwh,
        max(energia_anual_kwh) filter (where pessoa_fisica) as maior_energia_pf_kwh,
        sum(energia_ponta_anual_kwh) as energia_ponta_anual_kwh,
        sum(energia_fora_ponta_anual_kwh) as energia_fora_ponta_anual_kwh,
        sum(energia_ponta_kwh) as energia_ponta_kwh,
        sum(pac) as demanda_contratada_kw,
        sum(carga_instalada_kw) as carga_instalada_kw,
        sum(dic_h) as dic_anual_h,
        sum(fic) as fic_anual,
        count(dic_h) as leads_com_dic,
        count(fic) as leads_com_fic,
        count(dic_anual_h) - count(dic_h) as leads_dic_impossivel,
        count(fic_anual) - count(fic) as leads_fic_impossivel,
        sum(dic_mediana_h) as soma_dic_mediana_h,
        sum(fic_mediana) as soma_fic_mediana,
        count(dic_mediana_h) as leads_com_mediana,
        sum(dec_h) as soma_dec_h,
        sum(fec_apurado) as soma_fec,
        count(dec_h) as leads_com_dec,
        sum(dec_limite_h) as soma_dec_limite_h,
        sum(fec_limite) as soma_fec_limite,
        count(dec_limite_h) as leads_com_limite,
        count(*) filter (where livre) as leads_livres,
        sum(energia_anual_kwh) filter (where livre) as energia_livre_kwh,
        count(*) filter (where possui_geracao) as leads_com_geracao,
        count(*) filter (where enriquecimento_status = 'success') as leads_enriquecidos
    from unidades
    group by {{ grupos_do_resumo(['ano', 'distribuidora_id', 'origem']) }}
),

-- A município's own point says nothing of where in it a unit is.
formas as (
    select
        l.ano,
        l.distribuidora_id,
        l.origem,
        l.municipio_id,
        l.bairro,
        {{ postgis() }}st_convexhull({{ postgis() }}st_collect(
            {{ ponto_do_lead(['l', 'n']) }}
        )) as geom
    from leads as l
    left join {{ ref('ponto_notavel') }} as n
        on l.ano = n.ano and l.distribuidora_id = n.distribuidora_id and l.pn_con = n.cod_id
    where {{ eixo_do_lead('latitude', ['l', 'n']) }} is not null
    group by l.ano, l.distribuidora_id, l.origem, l.municipio_id, l.bairro
)

select
    c.quantidade_leads,
    c.leads_pf,
    c.energia_anual_kwh,
    c.maior_energia_anual_kwh,
    c.energia_pf_kwh,
    c.maior_energia_pf_kwh,
    c.energia_ponta_anual_kwh,
    c.energia_fora_ponta_anual_kwh,
    c.energia_ponta_kwh,
    c.energia_livre_kwh,
    c.demanda_contratada_kw,
    c.carga_instalada_kw,
    c.dic_anual_h,
    c.fic_anual,
    c.leads_com_dic,
    c.leads_com_fic,
    c.leads_dic_impossivel,
    c.leads_fic_impossivel,
    c.soma_dic_mediana_h,
    c.soma_fic_mediana,
    c.leads_com_mediana,
    c.soma_dec_h,
    c.soma_fec,
    c.leads_com_dec,
    c.soma_dec_limite_h,
    c.soma_fec_limite,
    c.leads_com_limite,
    c.leads_livres,
    c.leads_com_geracao,
    c.leads_enriquecidos,
    c.distribuidora_id,
    c.municipio_id,
    c.conjunto_id,
    c.origem,
    c.ano,
    c.dimensao,
    c.bairro,
    c.segmento_mercado_id,
    c.subgrupo_tarifario_id,
    c.classe_consumo_id,
    f.geom::{{ postgis() }}geometry (geometry, 4674) as geom
from celulas as c
left join formas as f
    on
        c.dimensao = 'bairro'
        and c.ano = f.ano
        and c.distribuidora_id = f.distribuidora_id
        and c.origem = f.origem
        and {{ mesma_chave('c', 'f', ['municipio_id', 'bairro']) }}
