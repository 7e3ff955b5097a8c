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

candidatas as (
    select
        e.*,
        cn.segmento_mercado_id
    from {{ ref('lead_empresa') }} as e
    left join {{ ref('cnae') }} as cn on e.cnae_id = cn.id
    where e.ordem = 1
),

-- Steps from outside that ran for this safra and that nobody took back.
passos as (
    select
        coalesce(bool_or(etapa = 'empresa'), false) as empresa,
        coalesce(bool_or(etapa = 'endereco'), false) as endereco,
        coalesce(bool_or(etapa = 'geocodificacao'), false) as geocodificacao
    from {{ ref('stg_enriquecimento') }}
    where not desfeita
),

enderecos as (
    select
        s.ano,
        s.distribuidora_id,
        s.origem,
        s.cod_id,
        count(*) as quantos,
        max(s.logradouro) as logradouro
    from {{ ref('stg_empresa_semelhanca') }} as s
    group by s.ano, s.distribuidora_id, s.origem, s.cod_id
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
        l.municipio_id,
        e.candidatos,
        e.escore,
        e.confianca,
        e.latitude is not null as tem_geocodificacao,
        t.geocodificacao and g.cnpj is not null and e.confianca = 'alta' as perguntou_lugar,
        case when e.preenche_cnae then e.segmento_mercado_id end as segmento_da_empresa,
        a.quantos as quantos_no_endereco,
        a.logradouro,
        t.empresa
        and {{ pessoa_juridica('cc.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }} as procura_empresa,
        t.endereco and a.cod_id is not null
        and {{ pessoa_juridica('cc.tipo_cliente', 'l.origem', 'l.classe_consumo_id') }} as compara_endereco
    from leads as l
    cross join passos as t
    left join {{ ref('classe_consumo') }} as cc on l.classe_consumo_id = cc.id
    left join candidatas as e on l.uc_id = e.uc_id
    left join {{ ref('stg_geocodificacao') }} as g on e.cnpj = g.cnpj
    left join enderecos as a
        on l.ano = a.ano
            and l.distribuidora_id = a.distribuidora_id
            and l.origem::text = a.origem
            and l.cod_id = a.cod_id
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
cross join
    lateral (
        values
        (
            'coordenada',
            case
                when s.tem_coordenada or s.tem_ponto then 'success'
                when s.tem_geocodificacao or s.tem_municipio then 'partial'
                else 'failed'
            end,
            case
                when s.tem_coordenada then 'uc'
                when s.tem_ponto then 'ponto_notavel'
                when s.tem_geocodificacao then 'geocodificacao: endereço da empresa candidata'
                when s.tem_municipio then 'municipio: PN_CON sem ponto notável'
                else 'sem ponto notável e sem município'
            end
        ),
        (
            'cnae_segmento',
            case
                when coalesce(s.segmento_mercado_id, s.segmento_da_empresa) is not null then 'success'
                when s.cnae_id is null then 'partial'
                else 'failed'
            end,
            case
                when s.segmento_mercado_id is not null then s.segmento_mercado_id
                when s.segmento_da_empresa is not null then s.segmento_da_empresa || ' (da empresa candidata)'
                when s.cnae_id is null then 'CNAE não informado ou fora da tabela'
                else 'CNAE sem segmento'
            end
        ),
        (
            'municipio',
            case when s.municipio_id is not null then 'success' else 'failed' end,
            case
                when s.municipio_id is null then 'código de município ausente ou fora da tabela do IBGE'
            end
        ),
        (
            case when s.procura_empresa then 'empresa' end,
            case s.confianca when 'alta' then 'success' when 'possivel' then 'partial' else 'failed' end,
            coalesce(
                s.candidatos || ' candidata(s), a melhor com escore ' || round(s.escore::numeric, 2),
                'nenhuma empresa com escore suficiente'
            )
        ),
        (
            case when s.compara_endereco then 'endereco' end,
            case when s.logradouro >= 0.5 then 'success' else 'partial' end,
            s.quantos_no_endereco || ' empresa(s) no mesmo CEP e número, logradouro igual em até '
            || round(100 * s.logradouro::numeric) || ' %'
        ),
        (
            case
                when s.perguntou_lugar and not s.tem_coordenada and not s.tem_ponto then 'geocodificacao'
            end,
            case when s.tem_geocodificacao then 'success' else 'failed' end,
            case
                when s.tem_geocodificacao then 'endereço da empresa candidata'
                else 'o serviço não acha o endereço, ou o põe fora do município'
            end
        )
    ) as e (etapa, resultado, detalhes)
where e.etapa is not null
