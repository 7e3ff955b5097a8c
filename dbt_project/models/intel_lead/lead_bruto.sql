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

-- Model M10 has one DIC and one FIC a year: those of all rows of a unit count. Straight from raw, for the few
-- units that have more rows: a window over all of them doubles the merge (500 k UCs: 3.9 s, so 7.6).
interrupcoes as (
    {% for camada in camadas_uc() %}
    select
        {{ uc_id(camada) }} as uc_id,
        sum(r.dic) as dic_anual,
        sum(r.fic) as fic_anual
    from (
        select
            {{ texto('cod_id') }} as cod_id,
            ano,
            distribuidora_id,
            dic,
            fic
        from {{ source('raw', camada | lower) }}
        where cod_id is not null and (dic is not null or fic is not null)
    ) as r
    group by r.cod_id, r.ano, r.distribuidora_id
    having count(*) > 1
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

complementos as (
    select * from {{ ref('stg_complemento') }}
),

-- ponto_notavel, which reads this table, is of the same points.
pontos as (
    select distinct
        ano,
        distribuidora_id,
        cod_id
    from {{ ref('stg_ponnot') }}
    where latitude is not null and longitude is not null
),

resolvidas as (
    select
        u.*,
        coalesce(i.dic_anual, u.dic_anual) as dic_da_uc,
        coalesce(i.fic_anual, u.fic_anual) as fic_da_uc,
        d_cnae.segmento_mercado_id,
        d_subgrupo_tarifario.modalidade_tarifaria_id,
        c.latitude as latitude_do_complemento,
        c.longitude as longitude_do_complemento,
        p.cod_id is not null as tem_ponto,
        {{ codigos_validos() }}
    from atuais as u
    left join interrupcoes as i on u.uc_id = i.uc_id
    left join pontos as p
        on u.ano = p.ano and u.distribuidora_id = p.distribuidora_id and u.pn_con = p.cod_id
    {% for d in dominios_do_lead() %}
    left join {{ ref(d.dominio) }} as d_{{ d.dominio }} on u.{{ d.campo }} = d_{{ d.dominio }}.id::text
    {% endfor %}
    -- A CSV beside the geodatabase has farmers too, who are persons here.
    left join complementos as c
        on
            u.origem::text = c.origem
            and u.cod_id = c.cod_id
            and {{ pessoa_juridica('d_classe_consumo.tipo_cliente', 'u.origem', 'd_classe_consumo.id') }}
)

select
    uc_id,
    pac,
    carga_instalada_kw,
    coalesce(latitude, latitude_do_complemento) as latitude,
    coalesce(longitude, longitude_do_complemento) as longitude,
    dic_da_uc as dic_anual,
    fic_da_uc as fic_anual,
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
    case
        when
            (coalesce(latitude, latitude_do_complemento) is not null or tem_ponto)
            and segmento_mercado_id is not null
            and municipio_id_valido is not null
            then 'enriched'
        when
            coalesce(latitude, latitude_do_complemento) is not null
            or tem_ponto
            or segmento_mercado_id is not null
            or municipio_id_valido is not null
            then 'partial'
        else 'raw'
    end as status,
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
    transformador,
    pn_con,
    ponto_acoplamento,
    ceg_gd
from resolvidas
