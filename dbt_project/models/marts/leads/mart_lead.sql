{# No barrier: what it leaves out, older vintages, stands in mart_lead_safra for the same readers; behind one,
   PostGIS' operators, which are not leakproof, find no index. #}
{{ config(materialized='view') }}
-- depends_on: {{ ref('safra_publicada') }}

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
    l.dic_anual_h,
    l.fic_anual,
    l.dic_mediana_conjunto_h,
    l.fic_mediana_conjunto,
    l.gd_kw,
    l.custo_anual_brl,
    l.distribuidora_id,
    l.municipio_id,
    l.conjunto_id,
    l.mercado_livre_desde,
    l.migrou_em,
    l.origem,
    l.ano,
    l.livre,
    l.optante_b,
    l.possui_geracao,
    l.score_migracao,
    l.score_arbitragem,
    l.score_backup,
    l.score_gtd,
    l.score_eficiencia,
    l.melhor_score,
    l.melhor_oferta,
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
from {{ ref('mart_lead_safra') }} as l
-- An anti-join, and no join with the newest year: rows may come in an index's order, for a page of the best.
where
    not exists (
        select from {{ ref('safra_publicada') }} as s
        where l.distribuidora_id = s.distribuidora_id and l.ano < s.ano
    )
