-- depends_on: {{ ref('safra_publicada') }}
with etapas as (
    select
        uc_id,
        ano,
        distribuidora_id,
        max(resultado) filter (where etapa = 'coordenada') as coordenada,
        max(detalhes) filter (where etapa = 'coordenada') as coordenada_detalhes,
        max(resultado) filter (where etapa = 'cnae_segmento') as cnae_segmento,
        max(detalhes) filter (where etapa = 'cnae_segmento') as cnae_segmento_detalhes,
        max(resultado) filter (where etapa = 'municipio') as municipio,
        max(detalhes) filter (where etapa = 'municipio') as municipio_detalhes,
        max(resultado) filter (where etapa = 'empresa') as empresa,
        max(detalhes) filter (where etapa = 'empresa') as empresa_detalhes,
        max(resultado) filter (where etapa = 'endereco') as endereco,
        max(detalhes) filter (where etapa = 'endereco') as endereco_detalhes,
        max(resultado) filter (where etapa = 'geocodificacao') as geocodificacao,
        max(detalhes) filter (where etapa = 'geocodificacao') as geocodificacao_detalhes
    from {{ ref('lead_enrichment_log') }}
    group by uc_id, ano, distribuidora_id
)

select
    e.uc_id,
    e.ano,
    e.distribuidora_id,
    e.coordenada,
    e.coordenada_detalhes,
    e.cnae_segmento,
    e.cnae_segmento_detalhes,
    e.municipio,
    e.municipio_detalhes,
    a.enriquecimento_status,
    a.data_enriquecimento,
    e.empresa,
    e.empresa_detalhes,
    e.endereco,
    e.endereco_detalhes,
    e.geocodificacao,
    e.geocodificacao_detalhes
from etapas as e
inner join {{ ref('lead_resumo_anual') }} as a
    on e.uc_id = a.uc_id
        and e.ano = a.ano
        and e.distribuidora_id = a.distribuidora_id
