-- depends_on: {{ ref('safra_publicada') }}
with leads as (
    select * from {{ ref('lead_bruto') }}
),

pontos as (
    select * from {{ ref('ponto_notavel') }}
),

municipios as (
    select * from {{ ref('municipio') }}
)

select
    l.uc_id,
    l.pac,
    l.carga_instalada_kw,
    l.latitude,
    l.longitude,
    l.dic_anual,
    l.fic_anual,
    l.import_id,
    l.linha,
    l.created_at,
    l.updated_at,
    l.distribuidora_id,
    l.municipio_id,
    l.conjunto_id,
    l.data_conexao,
    l.origem,
    l.ano,
    l.livre,
    l.possui_geracao,
    l.sem_rede,
    l.cod_id,
    l.chave_origem,
    l.status,
    l.cnae_id,
    l.segmento_mercado_id,
    l.grupo_tensao_id,
    l.subgrupo_tarifario_id,
    l.modalidade_tarifaria_id,
    l.tipo_sistema_id,
    l.situacao_uc_id,
    l.classe_consumo_id,
    l.fase_conexao_id,
    l.tensao_fornecimento_id,
    l.area_localizacao,
    l.tipo_curva_carga,
    l.bairro,
    l.cep,
    l.subestacao,
    l.circuito,
    l.pn_con,
    l.ponto_acoplamento,
    l.ceg_gd,
    {{ lugar_do_lead() }},
    l.transformador
from leads as l
left join pontos as p
    on l.ano = p.ano
        and l.distribuidora_id = p.distribuidora_id
        and l.pn_con = p.cod_id
left join {{ ref('lead_empresa') }} as g
    on
        l.ano = g.ano
        and l.distribuidora_id = g.distribuidora_id
        and l.uc_id = g.uc_id
        and g.latitude is not null
left join municipios as m on l.municipio_id = m.id
