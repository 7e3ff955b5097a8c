-- What is paid: of the file's two bases, «Tarifa de Aplicação» alone is a price.
select
    arquivo_id,
    linha,
    gerado_em,
    resolucao,
    {{ dia_da_resolucao('resolucao') }} as resolucao_dia,
    {{ numero_da_resolucao('resolucao') }} as resolucao_numero,
    sig_agente,
    cnpj,
    inicio,
    fim,
    {{ subgrupo_da_tarifa('subgrupo', 'classe', 'subclasse', 'detalhe') }} as subgrupo_tarifario_id,
    {{ modalidade_da_tarifa('modalidade') }} as modalidade,
    {{ sem_distincao('classe') }} as classe,
    {{ sem_distincao('subclasse') }} as subclasse,
    {{ sem_distincao('detalhe') }} as detalhe,
    {{ sem_distincao('acessante') }} as acessante,
    {{ posto_da_tarifa('posto') }} as posto,
    {{ unidade_da_tarifa('unidade') }} as unidade,
    case when {{ unidade_da_tarifa('unidade') }} like 'm%' then 0.001 else 1 end as fator,
    tusd,
    te
from {{ ref('stg_aberto_tarifas') }}
where {{ sem_acento('base_tarifaria') }} = 'tarifa de aplicacao'
