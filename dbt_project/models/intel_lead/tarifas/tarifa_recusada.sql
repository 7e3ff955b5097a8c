{{ config(materialized='view', contract={'enforced': false}) }}
with {{ tarifas_julgadas() }}

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
from julgadas as j
where j.motivo is not null
