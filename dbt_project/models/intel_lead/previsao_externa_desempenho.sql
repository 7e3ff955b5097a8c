{{ config(materialized='view', contract={'enforced': false}) }}

with realizado as (

    select
        s.distribuidora_id,
        s.nivel,
        s.serie_id,
        s.suprimido,
        make_date(s.ano, m.mes::integer, 1) as competencia,
        m.energia_kwh
    from {{ ref('safra_serie') }} as s
    inner join {{ ref('safra_publicada') }} as p
        on s.distribuidora_id = p.distribuidora_id and s.ano = p.ano
    cross join lateral unnest(s.energia_mes) with ordinality as m (energia_kwh, mes)

),

-- The seasonal naive had what the model had: the newest same month not after the training's end.
comparado as (

    select
        p.distribuidora_id,
        p.nivel,
        p.serie_id,
        p.modelo,
        p.treinado_ate,
        p.competencia,
        p.media,
        p.inferior,
        p.superior,
        r.energia_kwh,
        r.suprimido,
        ingenuo.energia_kwh as ingenuo_kwh
    from {{ ref('stg_previsao_externa') }} as p
    left join realizado as r
        on
            p.distribuidora_id = r.distribuidora_id
            and p.nivel = r.nivel
            and p.serie_id = r.serie_id
            and p.competencia = r.competencia
    left join lateral (
        select a.energia_kwh
        from realizado as a
        where
            a.distribuidora_id = p.distribuidora_id
            and a.nivel = p.nivel
            and a.serie_id = p.serie_id
            and a.competencia <= p.treinado_ate
            and extract(month from a.competencia) = extract(month from p.competencia)
            and a.energia_kwh is not null
        order by a.competencia desc
        limit 1
    ) as ingenuo on true

)

select
    distribuidora_id,
    extract(year from treinado_ate)::smallint as ano,
    nivel,
    serie_id,
    modelo,
    count(energia_kwh)::integer as meses_testados,
    avg(abs(media - energia_kwh)) as mae,
    100 * avg(abs(media - energia_kwh) / energia_kwh) filter (where energia_kwh > 0) as mape,
    -- Of the months that both have.
    avg(abs(media - energia_kwh)) filter (where ingenuo_kwh is not null)
    / nullif(avg(abs(ingenuo_kwh - energia_kwh)), 0) as mase,
    200 * avg(abs(media - energia_kwh) / nullif(media + energia_kwh, 0)) as smape,
    avg((energia_kwh between inferior and superior)::integer)::double precision as cobertura_95,
    coalesce(bool_or(suprimido), false) as suprimido
from comparado
group by distribuidora_id, extract(year from treinado_ate), nivel, serie_id, modelo
