{{ config(materialized='view', contract={'enforced': false}) }}
with {{ chaves_dos_agentes() }},

vistas as (
    select
        'tarifas' as conjunto,
        sig_agente,
        cnpj,
        count(*) as linhas
    from {{ ref('stg_aberto_tarifas') }}
    group by sig_agente, cnpj
    union all
    select
        'samp' as conjunto,
        sig_agente,
        cnpj,
        count(*) as linhas
    from {{ ref('consumo_samp_mensal') }}
    group by sig_agente, cnpj
    union all
    select
        'continuidade' as conjunto,
        sig_agente,
        cnpj,
        count(*) as linhas
    from {{ ref('continuidade_conjunto') }}
    group by sig_agente, cnpj
    union all
    select
        'geracao_distribuida' as conjunto,
        sig_agente,
        cnpj,
        count(*) as linhas
    from {{ ref('geracao_distribuida') }}
    group by sig_agente, cnpj
)

select
    v.conjunto,
    v.sig_agente,
    v.cnpj,
    v.linhas
from vistas as v
{{ junta_agente('v') }}
where {{ distribuidora_do_agente() }} is null
