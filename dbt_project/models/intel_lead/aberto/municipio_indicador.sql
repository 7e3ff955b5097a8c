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

{{ codigos_dos_municipios() }}

select distinct on (m.municipio_id, l.indicador, l.ano)
    m.municipio_id,
    l.indicador,
    l.ano,
    l.valor
from lidos as l
inner join codigos as m on l.codigo = m.codigo
where l.valor is not null and l.ano is not null
order by m.municipio_id asc, l.indicador asc, l.ano asc, l.arquivo_id desc, l.linha desc
