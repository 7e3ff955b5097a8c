{{ config(materialized='view', barreira=true) }}

with safras as (
    select
        distribuidora_id,
        ano,
        lag(ano) over (partition by distribuidora_id order by ano) as ano_anterior
    from {{ ref('safra_publicada') }}
),

leads as (
    select * from {{ ref('mart_lead_safra') }}
),

pares as (
    select
        l.uc_id,
        a.uc_id as uc_id_anterior,
        l.cod_id,
        l.distribuidora_id,
        l.origem,
        l.ano,
        s.ano_anterior,
        l.municipio,
        l.uf,
        l.classe_consumo,
        l.energia_anual_kwh,
        a.energia_anual_kwh as energia_anterior_kwh,
        l.demanda_contratada_kw,
        a.demanda_contratada_kw as demanda_contratada_anterior_kw,
        l.demanda_maxima_kw,
        a.demanda_maxima_kw as demanda_maxima_anterior_kw,
        l.dic_anual_h,
        a.dic_anual_h as dic_anterior_h,
        l.livre,
        a.livre as livre_anterior,
        l.possui_geracao,
        a.possui_geracao as possui_geracao_anterior,
        avg((a.uc_id is not null)::integer) over (partition by l.distribuidora_id, l.ano)::double precision
            as parte_encontrada
    from leads as l
    inner join safras as s on l.distribuidora_id = s.distribuidora_id and l.ano = s.ano
    -- A file without COD_ID numbers its rows: the same number is no unit's.
    left join leads as a
        on
            l.distribuidora_id = a.distribuidora_id
            and s.ano_anterior = a.ano
            and l.origem = a.origem
            and l.cod_id = a.cod_id
            and l.cod_id !~ '^linha-'
    where s.ano_anterior is not null
)

select
    uc_id,
    uc_id_anterior,
    cod_id,
    distribuidora_id,
    origem,
    ano,
    ano_anterior,
    municipio,
    uf,
    classe_consumo,
    energia_anual_kwh,
    energia_anterior_kwh,
    case when energia_anterior_kwh > 0 then 100 * (energia_anual_kwh / energia_anterior_kwh - 1) end
        as variacao_energia_pct,
    demanda_contratada_kw,
    demanda_contratada_anterior_kw,
    demanda_maxima_kw,
    demanda_maxima_anterior_kw,
    dic_anual_h,
    dic_anterior_h,
    livre,
    livre_anterior,
    possui_geracao,
    possui_geracao_anterior,
    parte_encontrada
from pares
