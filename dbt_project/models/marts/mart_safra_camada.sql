{{ config(materialized='view') }}
select
    c.ano,
    c.distribuidora_id,
    c.camada,
    c.presente,
    c.linhas,
    i.linhas_rejeitadas,
    -- What is published did not fail: an earlier try of the same import did.
    nullif(regexp_replace(i.observacoes, '(^|; )reprovada, não publicada: .*$', ''), '') as observacoes,
    c.import_id,
    i.arquivo,
    i.sha256,
    i.data_fim as importada_em
from {{ ref('safra_camada') }} as c
left join {{ source('controle', 'import_status') }} as i
    on c.import_id = i.import_id
