{{ config(alias='tarifa_vigente', materialized='view') }}
select
    t.tusd_brl_kwh,
    t.te_brl_kwh,
    t.tusd_brl_kw,
    t.te_brl_kw,
    t.distribuidora_id,
    t.inicio,
    t.fim,
    t.tarifa_id,
    t.subgrupo_tarifario_id,
    t.modalidade,
    t.posto,
    t.grandeza,
    t.classe,
    t.subclasse,
    t.detalhe,
    t.acessante,
    t.resolucao
from {{ ref('tarifa_vigente') }} as t
