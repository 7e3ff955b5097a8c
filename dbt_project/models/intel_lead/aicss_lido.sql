{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='id',
    on_schema_change='fail',
    full_refresh=false
) }}

select
    1 as id,
    coalesce(max(leitura_id), 0) as ultima_leitura_id,
    now() as lido_em
from {{ ref('leitura_sensor') }}
