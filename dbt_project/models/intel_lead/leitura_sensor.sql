{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='leitura_id',
    on_schema_change='append_new_columns',
    full_refresh=false
) }}

-- Never dropped: `--full-refresh` rewrites all rows in place, in one transaction.
with leitura as (

    select * from {{ ref('stg_aicss_leitura') }}
    {% if so_o_novo() %}
    -- leitura_id grows in commit order (loaders/aicss/landing.py), so that a late reading is a new one here
    where leitura_id > (select coalesce(max(feita.leitura_id), 0) from {{ this }} as feita)
    {% endif %}

),

dispositivo as (

    select id from {{ ref('dispositivo') }}

),

-- A device that was first heard after `dispositivo` was built: from it on, wait for the next build.
espera as (

    select min(leitura.leitura_id) as leitura_id
    from leitura
    left join dispositivo on leitura.dispositivo_id = dispositivo.id
    where dispositivo.id is null

)

select
    leitura.leitura_id,
    leitura.dispositivo_id,
    leitura.medido_em,
    leitura.luz,
    leitura.distancia_cm,
    leitura.sem_eco,
    leitura.consumo_interno,
    leitura.consumo_externo,
    leitura.temperatura_c,
    leitura.movimento,
    leitura.energia_economizada_kwh,
    leitura.luz_fora_da_faixa,
    leitura.distancia_fora_da_faixa,
    leitura.origem_horario,
    leitura.ressalva_horario,
    leitura.recebido_em
from leitura
cross join espera
where espera.leitura_id is null or leitura.leitura_id < espera.leitura_id
