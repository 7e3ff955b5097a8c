-- depends_on: {{ ref('safra_publicada') }}
select
    l.uc_id,
    l.cod_id,
    l.ano,
    l.distribuidora_id,
    d.nome as distribuidora,
    l.origem,
    l.status,
    l.situacao_uc_id,
    su.descricao as situacao_uc,
    l.classe_consumo_id,
    cc.descricao as classe_consumo,
    cc.tipo_cliente,
    l.segmento_mercado_id,
    sm.descricao as segmento_mercado,
    l.cnae_id,
    cn.descricao as cnae_descricao,
    l.grupo_tensao_id,
    gt.descricao as grupo_tensao,
    l.subgrupo_tarifario_id,
    st.descricao as subgrupo_tarifario,
    l.modalidade_tarifaria_id,
    l.tipo_sistema_id,
    l.fase_conexao_id,
    fc.fases,
    l.tensao_fornecimento_id,
    tf.tensao_v,
    l.pac,
    l.carga_instalada_kw,
    l.livre,
    l.possui_geracao,
    l.ceg_gd,
    l.sem_rede,
    l.data_conexao,
    l.municipio_id,
    m.nome as municipio,
    m.uf,
    l.bairro,
    l.cep,
    l.area_localizacao,
    l.conjunto_id,
    l.subestacao,
    l.circuito,
    l.pn_con,
    l.latitude_final,
    l.longitude_final,
    l.origem_coordenada,
    l.geom,
    a.energia_anual_kwh,
    a.media_energia,
    a.energia_ponta_anual_kwh,
    a.energia_fora_ponta_anual_kwh,
    a.maxima_demanda,
    a.media_demanda,
    a.dic_anual_h,
    a.media_dic,
    a.fic_anual,
    a.media_fic,
    a.enriquecimento_status,
    a.data_enriquecimento
from {{ ref('lead_com_coordenadas') }} as l
inner join {{ ref('lead_resumo_anual') }} as a
    on l.uc_id = a.uc_id
        and l.ano = a.ano
        and l.distribuidora_id = a.distribuidora_id
inner join {{ ref('distribuidora') }} as d on l.distribuidora_id = d.id
left join {{ ref('situacao_uc') }} as su on l.situacao_uc_id = su.id
left join {{ ref('classe_consumo') }} as cc on l.classe_consumo_id = cc.id
left join {{ ref('segmento_mercado') }} as sm on l.segmento_mercado_id = sm.id
left join {{ ref('cnae') }} as cn on l.cnae_id = cn.id
left join {{ ref('grupo_tensao') }} as gt on l.grupo_tensao_id = gt.id
left join {{ ref('subgrupo_tarifario') }} as st on l.subgrupo_tarifario_id = st.id
left join {{ ref('fase_conexao') }} as fc on l.fase_conexao_id = fc.id
left join {{ ref('tensao_fornecimento') }} as tf on l.tensao_fornecimento_id = tf.id
left join {{ ref('municipio') }} as m on l.municipio_id = m.id
