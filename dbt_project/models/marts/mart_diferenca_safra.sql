{{ config(materialized='view') }}
select
    s.distribuidora_id,
    d.nome as distribuidora,
    s.ano_de,
    s.ano as ano_para,
    s.municipio_id,
    m.nome as municipio,
    m.uf,
    s.unidades_antes,
    s.unidades,
    s.novas,
    s.sumiram,
    s.mudaram_camada,
    s.mudaram_classe,
    s.mudaram_municipio,
    s.subiram_demanda,
    s.baixaram_demanda,
    s.demanda_contratada_antes_kw,
    s.demanda_contratada_kw,
    s.energia_antes_kwh,
    s.energia_kwh,
    s.energia_novas_kwh,
    s.energia_sumiram_kwh,
    s.energia_subiu_kwh,
    s.energia_caiu_kwh
from {{ ref('safra_diferenca') }} as s
inner join {{ ref('distribuidora') }} as d on s.distribuidora_id = d.id
left join {{ ref('municipio') }} as m on s.municipio_id = m.id
