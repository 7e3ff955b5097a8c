-- SAMP has millions of rows: each is read once, and the distributor is looked for after they are summed.
with lidas as materialized (
    select
        sig_agente,
        cnpj,
        competencia,
        opcao_energia,
        subgrupo,
        classe,
        detalhe,
        valor,
        refaturamento
    from {{ ref('stg_aberto_samp') }}
),

somas as (
    select
        sig_agente,
        max(cnpj) as cnpj,
        competencia,
        coalesce(opcao_energia, 'NÃO INFORMADO') as opcao_energia,
        coalesce(subgrupo, 'NÃO INFORMADO') as subgrupo,
        coalesce(classe, 'Não informado') as classe,
        sum(valor) filter (where detalhe = 'ENERGIATEKWH') as energia_te_kwh,
        sum(valor) filter (where detalhe = 'ENERGIATUSDKWH') as energia_tusd_kwh,
        sum(case when detalhe = 'ENERGIATEKWH' and refaturamento then valor else 0 end) as refaturada_te_kwh,
        sum(valor) filter (where detalhe = 'NUMERODECONSUMIDORES') as consumidores
    from lidas
    where
        sig_agente is not null
        and competencia is not null
        and detalhe in ('ENERGIATEKWH', 'ENERGIATUSDKWH', 'NUMERODECONSUMIDORES')
    group by 1, 3, 4, 5, 6
),

{{ chaves_dos_agentes() }}

select
    s.sig_agente,
    s.cnpj,
    s.competencia,
    s.opcao_energia,
    s.subgrupo,
    s.classe,
    {{ grupo_da_classe('s.classe') }} as classe_grupo,
    s.energia_te_kwh,
    s.energia_tusd_kwh,
    s.refaturada_te_kwh,
    s.consumidores,
    {{ distribuidora_do_agente() }} as distribuidora_id
from somas as s
{{ junta_agente('s') }}
