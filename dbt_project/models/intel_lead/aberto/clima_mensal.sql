select
    estacao,
    competencia,
    max(nome) as nome,
    max(uf) as uf,
    avg(latitude) as latitude,
    avg(longitude) as longitude,
    avg(temperatura_c) as temperatura_media_c,
    min(temperatura_c) as temperatura_minima_c,
    max(temperatura_c) as temperatura_maxima_c,
    sum(precipitacao_mm) as precipitacao_mm,
    avg(umidade_pct) as umidade_media_pct,
    count(temperatura_c)::integer as horas_com_temperatura,
    count(precipitacao_mm)::integer as horas_com_precipitacao
from {{ ref('stg_aberto_clima') }}
where estacao is not null and competencia is not null
group by estacao, competencia
