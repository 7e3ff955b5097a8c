with lidos as (
    select
        'populacao' as indicador,
        municipio_id as codigo,
        ano,
        valor,
        arquivo_id,
        linha
    from {{ ref('stg_aberto_populacao') }}
    union all
    select
        'pib_brl' as indicador,
        municipio_id as codigo,
        ano,
        1000 * valor as valor,
        arquivo_id,
        linha
    from {{ ref('stg_aberto_pib') }}
    union all
    select
        'idhm' as indicador,
        codigo_municipio as codigo,
        ano,
        valor,
        arquivo_id,
        linha
    from {{ ref('stg_aberto_idhm') }}
    union all
    select
        'renda_brl_mes' as indicador,
        codigo_municipio as codigo,
        ano,
        valor,
        arquivo_id,
        linha
    from {{ ref('stg_aberto_renda') }}
),

municipios as (
    select
        id,
        id / 10 as sem_digito
    from {{ ref('municipio') }}
)

select distinct on (m.id, l.indicador, l.ano)
    m.id as municipio_id,
    l.indicador,
    l.ano,
    l.valor
from lidos as l
inner join municipios as m on l.codigo in (m.id, m.sem_digito)
where l.valor is not null and l.ano is not null
order by m.id asc, l.indicador asc, l.ano asc, l.arquivo_id desc, l.linha desc
