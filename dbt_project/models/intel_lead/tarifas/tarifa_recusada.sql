{{ config(materialized='view', contract={'enforced': false}) }}
select
    j.motivo,
    j.sig_agente,
    j.cnpj,
    j.subgrupo_tarifario_id as subgrupo,
    j.inicio,
    j.fim,
    j.tusd,
    j.te,
    j.resolucao,
    j.arquivo_id,
    j.linha
from ({{ tarifas_julgadas() }}) as j
where j.motivo is not null
