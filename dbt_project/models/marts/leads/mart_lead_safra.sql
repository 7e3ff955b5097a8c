{{ config(
    safra_pai='lead_bruto',
    indexes=[
        {'columns': ['geom'], 'type': 'gist'},
        {'columns': ['cod_id']},
        {'columns': ['uf', 'municipio_id']},
        {'columns': ['municipio_id']},
        {'columns': ['segmento_mercado_id']},
        {'columns': ['demanda_contratada_kw']},
        {'columns': ['melhor_oferta', 'melhor_score']},
    ]
) }}
{%- set ofertas = ['migracao', 'arbitragem', 'backup', 'gtd', 'eficiencia'] %}

with leads as (
    select * from {{ ref('lead_mercado') }}
    where not desativada
),

scores as (
    select
        uc_id,
        {% for oferta in ofertas %}
        max(score) filter (where oferta = '{{ oferta }}')::numeric(9, 6) as score_{{ oferta }},
        {% endfor %}
        (array_agg(oferta order by percentil desc, score desc, oferta asc))[1] as melhor_oferta,
        (array_agg(score order by percentil desc, score desc, oferta asc))[1]::numeric(9, 6) as melhor_score
    from {{ ref('mart_lead_score') }}
    group by uc_id
),

-- The modality with the cheaper bill, where tariffs cover the year whole.
custos as (
    select
        uc_id,
        min(total_brl) as custo_anual_brl
    from (
        select
            uc_id,
            case when count(*) = 12 then sum(total_brl) end as total_brl
        from {{ ref('mart_custo_lead') }}
        group by uc_id, modalidade
    ) as c
    group by uc_id
)

select
    l.uc_id,
    l.latitude,
    l.longitude,
    l.demanda_contratada_kw,
    l.demanda_maxima_kw,
    l.razao_demanda,
    l.energia_anual_kwh,
    l.energia_ponta_kwh,
    l.participacao_ponta,
    l.fator_carga,
    l.sazonalidade,
    t.tendencia_pct_ano,
    l.dic_anual_h,
    l.fic_anual,
    l.dic_mediana_conjunto_h,
    l.fic_mediana_conjunto,
    l.gd_kw,
    c.custo_anual_brl,
    l.distribuidora_id,
    l.municipio_id,
    l.conjunto_id,
    l.mercado_livre_desde,
    l.migrou_em,
    l.origem,
    l.ano,
    t.safras as tendencia_safras,
    l.livre,
    l.optante_b,
    l.possui_geracao,
    {% for oferta in ofertas %}
    s.score_{{ oferta }},
    {% endfor %}
    s.melhor_score,
    s.melhor_oferta,
    l.cod_id,
    l.distribuidora,
    l.municipio,
    l.uf,
    l.bairro,
    l.cep,
    l.origem_coordenada,
    l.classe_consumo_id,
    l.classe_consumo,
    l.segmento_mercado_id,
    l.segmento_mercado,
    l.segmento_origem,
    l.cnae_id,
    l.cnae_origem,
    l.cnae,
    l.subgrupo_tarifario_id,
    l.situacao,
    l.circuito,
    l.conjunto,
    l.origem_perfil,
    l.energia_mes,
    l.geom
from leads as l
left join scores as s on l.uc_id = s.uc_id
left join custos as c on l.uc_id = c.uc_id
left join {{ ref('lead_tendencia') }} as t on l.uc_id = t.uc_id
