{{ config(
    dominios_abertos=abre_dominios_do_lead(),
    indexes=[{'columns': ['pn_con']}, {'columns': ['cod_id']}, {'columns': ['municipio_id']}]
) }}
-- depends_on: {{ ref('distribuidora') }}

with ucs as (
    select * from {{ ref('stg_uc') }}
),

-- A UC whose contract changed in the year has its current row (AT) and the superseded ones (DS).
atuais as (
    select distinct on (uc_id) *
    from ucs
    order by uc_id asc, (sit_ativ = 'AT') desc nulls last, linha desc
),

resolvidas as (
    select
        u.*,
        d_cnae.segmento_mercado_id,
        d_subgrupo_tarifario.modalidade_tarifaria_id,
        {{ codigos_validos() }}
    from atuais as u
    {% for d in dominios_do_lead() %}
    left join {{ ref(d.dominio) }} as d_{{ d.dominio }} on u.{{ d.campo }} = d_{{ d.dominio }}.id::text
    {% endfor %}
)

select
    uc_id,
    pac,
    carga_instalada_kw,
    latitude,
    longitude,
    dic_anual,
    fic_anual,
    import_id,
    linha,
    now() as created_at,
    now() as updated_at,
    distribuidora_id,
    municipio_id_valido as municipio_id,
    conjunto_id,
    data_conexao,
    origem,
    ano,
    livre,
    ceg_gd is not null as possui_geracao,
    sem_rede,
    cod_id,
    chave_origem,
    'raw'::text as status,
    cnae_id_valido as cnae_id,
    segmento_mercado_id,
    grupo_tensao_id_valido as grupo_tensao_id,
    subgrupo_tarifario_id_valido as subgrupo_tarifario_id,
    modalidade_tarifaria_id,
    tipo_sistema_id_valido as tipo_sistema_id,
    situacao_uc_id_valido as situacao_uc_id,
    classe_consumo_id_valido as classe_consumo_id,
    fase_conexao_id_valido as fase_conexao_id,
    tensao_fornecimento_id_valido as tensao_fornecimento_id,
    area_localizacao_valido as area_localizacao,
    tipo_curva_carga,
    bairro,
    cep,
    subestacao,
    circuito,
    pn_con,
    ponto_acoplamento,
    ceg_gd
from resolvidas
