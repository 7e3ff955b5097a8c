{{ config(
    materialized='inteira',
    indexes=[{'columns': ['distribuidora_id', 'inicio']}],
    meta={'da_safra': 'inicio <= make_date({ano}, 12, 31) and coalesce(fim >= make_date({ano}, 1, 1), true)'}
) }}
{%- set chave %}distribuidora_id, subgrupo_tarifario_id, modalidade, classe, subclasse, detalhe, acessante, posto, grandeza{% endset %}

with {{ tarifas_julgadas() }},

precos as (
    select
        *,
        case when unidade like '%wh' then 'energia' else 'demanda' end as grandeza,
        daterange(inicio, fim, '[]') as vigencia
    from julgadas
    where motivo is null
),

-- Of a day that several rows price the newest resolution's counts: each keeps what no newer one has.
sem_sobra as (
    select
        *,
        datemultirange(vigencia) - coalesce(range_agg(vigencia) over (
            partition by {{ chave }}
            order by
                resolucao_dia desc nulls last, resolucao_numero desc nulls last, inicio desc,
                gerado_em desc nulls last, arquivo_id desc, linha desc
            rows between unbounded preceding and 1 preceding
        ), '{}') as dias
    from precos
),

vigentes as (
    select
        s.*,
        lower(v.dias) as desde,
        upper(v.dias) - 1 as ate
    from sem_sobra as s
    cross join lateral unnest(s.dias) as v (dias)
)

select
    md5(concat_ws('|', {{ chave }}, desde)) as tarifa_id,
    case when grandeza = 'energia' then (tusd::numeric * fator)::double precision end as tusd_brl_kwh,
    case when grandeza = 'energia' then (te::numeric * fator)::double precision end as te_brl_kwh,
    case when grandeza = 'demanda' then (tusd::numeric * fator)::double precision end as tusd_brl_kw,
    case when grandeza = 'demanda' then (coalesce(te, 0)::numeric * fator)::double precision end as te_brl_kw,
    distribuidora_id,
    desde as inicio,
    ate as fim,
    subgrupo_tarifario_id,
    modalidade,
    posto,
    grandeza,
    classe,
    subclasse,
    detalhe,
    acessante,
    resolucao
from vigentes
