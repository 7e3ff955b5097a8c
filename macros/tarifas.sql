{# Tariffs as ANEEL publishes them, in our words. Belongs here: what a text of the file means, which row a price may be
   made of. Not here: one field's cleaning (limpeza.sql), which of two rows counts (tarifa_vigente.sql). #}

{# The word for what a tariff does not tell apart; a blank says the same. #}
{% macro sem_distincao(coluna) -%}
    coalesce({{ sem_acento(coluna) }}, 'nao se aplica')
{%- endmacro %}

{% macro modalidade_da_tarifa(coluna) -%}
    substring(
        {{ sem_acento(coluna) }}
        from '^(?:tarifa |modalidade |horaria |hor[oa].?sazonal )*(azul|verde|branca|convencional)$'
    )
{%- endmacro %}

{% macro posto_da_tarifa(coluna) -%}
    case
        when {{ sem_distincao(coluna) }} in ('nao se aplica', 'unico') then 'unico'
        when {{ sem_acento(coluna) }} ~ '^(na )?ponta$' then 'ponta'
        when {{ sem_acento(coluna) }} ~ '^fora.{0,4}ponta$' then 'fora_ponta'
        when {{ sem_acento(coluna) }} ~ '^intermediari[oa]$' then 'intermediario'
    end
{%- endmacro %}

{# kW, MW, kWh or MWh, with or without R$/. #}
{% macro unidade_da_tarifa(coluna) -%}
    substring({{ sem_acento(coluna) }} from '^(?:r\$ ?/ ?)?([km]wh?)$')
{%- endmacro %}

{# BDGD's code of the subgroup: the file tells the kinds of B1, B2 and B4 apart by class, subclass or detail. #}
{% macro subgrupo_da_tarifa(subgrupo, classe, subclasse, detalhe) -%}
    {%- set codigo = "upper(replace(" ~ sem_acento(subgrupo) ~ ", ' ', ''))" -%}
    {%- set dito = sem_acento("concat_ws(' ', " ~ classe ~ ', ' ~ subclasse ~ ', ' ~ detalhe ~ ')') -%}
    case
        when {{ codigo }} = 'B1' and {{ dito }} ~ 'baixa renda' then 'B1BR'
        when {{ codigo }} = 'B2' and {{ dito }} ~ 'cooperativa' then 'B2CO'
        when {{ codigo }} = 'B2' and {{ dito }} ~ 'irriga' then 'B2SP'
        when {{ codigo }} = 'B2' then 'B2RU'
        when {{ codigo }} = 'B4' and {{ dito }} ~ 'b4a|rede de distribuicao' then 'B4A'
        when {{ codigo }} = 'B4' and {{ dito }} ~ 'b4b|bulbo' then 'B4B'
        else {{ codigo }}
    end
{%- endmacro %}

{# How new a resolution is: its day as 20230425, as its title has it («DE 25 DE ABRIL DE 2023»), else null. #}
{% macro dia_da_resolucao(coluna) -%}
    (
        select
            d.partes[3]::integer * 10000
            + ((position(left(d.partes[2], 3) in 'janfevmarabrmaijunjulagosetoutnovdez') + 2) / 3) * 100
            + d.partes[1]::integer
        from regexp_match(
            {{ sem_acento(coluna) }},
            '([0-9]{1,2})[^0-9a-z]? de '
            '(janeiro|fevereiro|marco|abril|maio|junho|julho|agosto|setembro|outubro|novembro|dezembro) de ([0-9]{4})'
        ) as d (partes)
    )
{%- endmacro %}

{# Number of a resolution: 3180 of «Nº 3.180»; null where none stands there. #}
{% macro numero_da_resolucao(coluna) -%}
    replace(substring({{ coluna }} from '[0-9]{1,3}(?:[.]?[0-9]{3})*'), '.', '')::integer
{%- endmacro %}

{# The columns of the file in whose words a tariff says what it is of. #}
{% macro textos_da_tarifa() %}
    {{ return(['base_tarifaria', 'subgrupo', 'modalidade', 'classe', 'subclasse', 'detalhe', 'posto', 'unidade',
        'acessante']) }}
{% endmacro %}

{# All of them as one text: of nine keys PostgreSQL takes a join to leave one row, and goes on row by row. #}
{% macro dizeres_da_tarifa(tabela) -%}
    concat(
        {%- for texto in textos_da_tarifa() %}{{ tabela }}.{{ texto }}{{ ", '|', " if not loop.last }}{% endfor -%}
    )
{%- endmacro %}

{# CTE `julgadas`, after those that it reads: each «Tarifa de Aplicação» (of the file's two bases the one that is paid),
   and each row of no base that is known, with its distributor, and why no price is made of it (null: one is). Of rows
   of one resolution that say two prices of the same the last one counts. *Limits*: no tariff is near R$ 10 a kWh or
   R$ 1.000 a kW; a MWh called kWh is. #}
{% macro tarifas_julgadas() -%}
    {{ chaves_dos_agentes() }},

    -- Each wording is read once, which `materialized` keeps PostgreSQL to: 500 k rows have some thousands of them.
    ditas as materialized (
        select distinct {{ textos_da_tarifa() | join(', ') }}
        from {{ ref('stg_aberto_tarifas') }}
    ),

    lidas as materialized (
        select
            {{ dizeres_da_tarifa('ditas') }} as dizeres,
            {{ sem_acento('base_tarifaria') }} as base,
            {{ subgrupo_da_tarifa('subgrupo', 'classe', 'subclasse', 'detalhe') }} as subgrupo_tarifario_id,
            {{ modalidade_da_tarifa('modalidade') }} as modalidade,
            {{ sem_distincao('classe') }} as classe,
            {{ sem_distincao('subclasse') }} as subclasse,
            {{ sem_distincao('detalhe') }} as detalhe,
            {{ sem_distincao('acessante') }} as acessante,
            {{ posto_da_tarifa('posto') }} as posto,
            {{ unidade_da_tarifa('unidade') }} as unidade
        from ditas
        where coalesce({{ sem_acento('base_tarifaria') }}, '') <> 'base economica'
    ),

    resolucoes as materialized (
        select
            resolucao,
            {{ dia_da_resolucao('resolucao') }} as resolucao_dia,
            {{ numero_da_resolucao('resolucao') }} as resolucao_numero
        from (select distinct resolucao from {{ ref('stg_aberto_tarifas') }} where resolucao is not null) as r
    ),

    tarifas as (
        select
            l.*,
            t.arquivo_id,
            t.linha,
            t.gerado_em,
            t.resolucao,
            r.resolucao_dia,
            r.resolucao_numero,
            t.sig_agente,
            t.cnpj,
            t.inicio,
            t.fim,
            t.tusd,
            t.te
        from {{ ref('stg_aberto_tarifas') }} as t
        inner join lidas as l on {{ dizeres_da_tarifa('t') }} = l.dizeres
        left join resolucoes as r on t.resolucao = r.resolucao
    ),

    agentes as (
        select distinct
            sig_agente,
            cnpj
        from tarifas
    ),

    conhecidos as (
        select
            a.sig_agente,
            a.cnpj,
            {{ distribuidora_do_agente() }} as distribuidora_id
        from agentes as a
        {{ junta_agente('a') }}
    ),

    com_agente as (
        select
            t.*,
            a.distribuidora_id,
            case when t.unidade like 'm%' then 0.001 else 1 end as fator
        from tarifas as t
        left join conhecidos as a on concat(t.sig_agente, '|', t.cnpj) = concat(a.sig_agente, '|', a.cnpj)
    ),

    ditas_por_si as (
        select
            t.*,
            case
                when coalesce(t.base, '') <> 'tarifa de aplicacao'
                    then 'Base que não é Tarifa de Aplicação nem Base Econômica'
                when t.distribuidora_id is null
                    then 'Distribuidora sem código: nem o CNPJ nem a sigla estão em distribuidora_agente'
                when t.inicio is null then 'Sem início de vigência'
                when t.fim < t.inicio then 'A vigência termina antes de começar'
                when s.id is null then 'Subgrupo que a BDGD não tem'
                when t.modalidade is null then 'Modalidade que não é azul, verde, branca nem convencional'
                when t.posto is null then 'Posto desconhecido'
                when t.unidade is null then 'Unidade que não é kW nem kWh, MW nem MWh'
                when t.tusd is null or t.te is null and t.unidade like '%wh' then 'Sem preço'
                when t.tusd + coalesce(t.te, 0) < 0 then 'Preço negativo'
                when
                    (t.tusd + coalesce(t.te, 0)) * t.fator > case when t.unidade like '%wh' then 10 else 1000 end
                    then 'Preço fora do possível para a unidade'
            end as motivo_so_dela
        from com_agente as t
        left join {{ ref('subgrupo_tarifario') }} as s on t.subgrupo_tarifario_id = s.id and s.grupo is not null
    ),

    julgadas as (
        select
            *,
            case
                when
                    motivo_so_dela is null
                    and concat(tusd, ' ', te) <> last_value(concat(tusd, ' ', te)) over (
                        partition by
                            distribuidora_id, subgrupo_tarifario_id, modalidade, classe, subclasse, detalhe, acessante,
                            posto, unidade, resolucao, inicio, fim, motivo_so_dela is null
                        order by gerado_em nulls first, arquivo_id, linha
                        rows between unbounded preceding and unbounded following
                    )
                    then 'Contradiz outra linha da mesma resolução'
                else motivo_so_dela
            end as motivo
        from ditas_por_si
    )
{%- endmacro %}
