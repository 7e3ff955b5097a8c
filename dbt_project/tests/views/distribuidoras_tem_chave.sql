{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'distribuidora_sem_chave'}}}) }}
-- Who publishes open data is in seed distribuidora_agente; a row is an acronym that nobody knows yet.
select
    conjunto,
    sig_agente,
    cnpj
from {{ ref('distribuidora_sem_chave') }}
