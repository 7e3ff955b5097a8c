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
        max(detalhes) filter (where etapa = 'municipio') as municipio_detalhes
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
    a.data_enriquecimento
from etapas as e
inner join {{ ref('lead_resumo_anual') }} as a
    on e.uc_id = a.uc_id
        and e.ano = a.ano
        and e.distribuidora_id = a.distribuidora_id
