{{ config(safra_pai='lead_bruto') }}

with leads as (
    select * from {{ ref('lead_bruto') }}
),

pontos as (
    select * from {{ ref('ponto_notavel') }}
),

municipios as (
    select * from {{ ref('municipio') }}
),

situacao as (
    select
        l.uc_id,
        l.ano,
        l.distribuidora_id,
        l.latitude is not null as tem_coordenada,
        p.cod_id is not null as tem_ponto,
        m.latitude is not null as tem_municipio,
        l.pn_con,
        l.cnae_id,
        l.segmento_mercado_id,
        l.municipio_id
    from leads as l
    left join pontos as p
        on l.ano = p.ano
            and l.distribuidora_id = p.distribuidora_id
            and l.pn_con = p.cod_id
    left join municipios as m on l.municipio_id = m.id
)

select
    row_number() over () as id,
    s.uc_id,
    now() as created_at,
    s.distribuidora_id,
    e.resultado::intel_lead.resultado_enum as resultado,
    s.ano,
    e.etapa,
    e.detalhes
from situacao as s
cross join lateral (
    values
    (
        'coordenada',
        case
            when s.tem_coordenada or s.tem_ponto then 'success'
            when s.tem_municipio then 'partial'
            else 'failed'
        end,
        case
            when s.tem_coordenada then 'uc'
            when s.tem_ponto then 'ponto_notavel'
            when s.tem_municipio then 'municipio: PN_CON sem ponto notável'
            else 'sem ponto notável e sem município'
        end
    ),
    (
        'cnae_segmento',
        case
            when s.segmento_mercado_id is not null then 'success'
            when s.cnae_id is null then 'partial'
            else 'failed'
        end,
        case
            when s.segmento_mercado_id is not null then s.segmento_mercado_id
            when s.cnae_id is null then 'CNAE não informado ou fora da tabela'
            else 'CNAE sem segmento'
        end
    ),
    (
        'municipio',
        case when s.municipio_id is not null then 'success' else 'failed' end,
        case when s.municipio_id is null then 'código de município ausente ou fora da tabela do IBGE' end
    )
) as e (etapa, resultado, detalhes)
