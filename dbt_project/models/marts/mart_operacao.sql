{{ config(materialized='view') }}
-- One file's landing is a row a layer, begun within milliseconds of one another.
with arquivos as (
    select
        (min(data_inicio) at time zone 'America/Sao_Paulo')::date as dia,
        bool_or(status = 'failed') as falhou,
        extract(epoch from max(data_fim) - min(data_inicio))::double precision as segundos,
        count(distinct concat_ws('-', distribuidora_id, ano)) filter (where status = 'completed') as safras,
        sum(linhas_processadas) as linhas,
        sum(linhas_rejeitadas) as rejeitadas
    from {{ source('controle', 'import_status') }}
    where data_fim is not null
    group by arquivo, date_trunc('minute', data_inicio)
),

nos as (
    select
        (terminado_em at time zone 'America/Sao_Paulo')::date as dia,
        case tipo when 'test' then 'testes' else 'construcao' end as etapa,
        situacao,
        segundos,
        linhas
    from {{ source('operacao', 'execucao_no') }}
    where situacao <> 'skipped'
),

excecoes as (
    select
        ano,
        distribuidora_id,
        sum(linhas) as excecoes
    from {{ ref('qualidade_excecao') }}
    group by ano, distribuidora_id
),

leads as (
    select
        ano,
        distribuidora_id,
        sum(quantidade_leads) as leads
    from {{ ref('safra_resumo') }}
    group by ano, distribuidora_id
),

etapas as (
    select
        dia,
        'carga' as etapa,
        count(*) as execucoes,
        count(*) filter (where falhou) as falhas,
        sum(segundos) as segundos,
        sum(safras) as safras,
        sum(linhas) as linhas,
        sum(rejeitadas) as rejeitadas,
        null::numeric as excecoes,
        null::double precision as p50_ms,
        null::double precision as p95_ms
    from arquivos
    group by dia
    union all
    select
        (aterrissado_em at time zone 'America/Sao_Paulo')::date as dia,
        'dados_abertos' as etapa,
        count(*) as execucoes,
        null as falhas,
        null as segundos,
        null as safras,
        sum(linhas) as linhas,
        sum(rejeitadas) as rejeitadas,
        null as excecoes,
        null as p50_ms,
        null as p95_ms
    from {{ source('operacao', 'aberto_arquivo') }}
    where not inventado
    group by (aterrissado_em at time zone 'America/Sao_Paulo')::date
    union all
    select
        n.dia,
        n.etapa,
        count(*) as execucoes,
        count(*) filter (where n.situacao in ('error', 'fail', 'runtime error')) as falhas,
        sum(n.segundos) as segundos,
        null as safras,
        sum(n.linhas) as linhas,
        null as rejeitadas,
        null as excecoes,
        null as p50_ms,
        null as p95_ms
    from nos as n
    group by n.dia, n.etapa
    union all
    select
        (p.publicada_em at time zone 'America/Sao_Paulo')::date as dia,
        'publicacao' as etapa,
        count(*) as execucoes,
        null as falhas,
        null as segundos,
        count(*) as safras,
        sum(l.leads) as linhas,
        null as rejeitadas,
        coalesce(sum(e.excecoes), 0) as excecoes,
        null as p50_ms,
        null as p95_ms
    from {{ ref('safra_publicada') }} as p
    left join leads as l on p.ano = l.ano and p.distribuidora_id = l.distribuidora_id
    left join excecoes as e on p.ano = e.ano and p.distribuidora_id = e.distribuidora_id
    group by (p.publicada_em at time zone 'America/Sao_Paulo')::date
    union all
    select
        dia,
        'api/' || rota as etapa,
        chamadas as execucoes,
        falhas,
        segundos,
        null as safras,
        null as linhas,
        null as rejeitadas,
        null as excecoes,
        p50_ms,
        p95_ms
    from {{ source('app', 'latencia_por_dia') }}
    union all
    select
        desde as dia,
        'leitura/' || visao as etapa,
        consultas as execucoes,
        null as falhas,
        segundos,
        null as safras,
        null as linhas,
        null as rejeitadas,
        null as excecoes,
        null as p50_ms,
        null as p95_ms
    from {{ source('operacao', 'visao_lida') }}
)

select
    dia,
    etapa,
    execucoes,
    falhas,
    1 - falhas::double precision / nullif(execucoes, 0) as parte_com_sucesso,
    segundos,
    safras::bigint as safras,
    segundos / nullif(safras, 0) as segundos_por_safra,
    linhas::bigint as linhas,
    linhas / nullif(segundos, 0) as linhas_por_segundo,
    rejeitadas::bigint as rejeitadas,
    rejeitadas / nullif(linhas + rejeitadas, 0)::double precision as parte_rejeitada,
    excecoes::bigint as excecoes,
    excecoes / nullif(linhas, 0)::double precision as parte_excecao,
    p50_ms,
    p95_ms
from etapas
