{# What open data of several sources share. Belongs here: whose a row is, which class, which município. Not here: one
   field's cleaning (limpeza.sql), the tables' materialization (inteira.sql). #}

{# CTEs `siglas` and `cnpjs`: by what open data name a distributor, of those that the domain has. #}
{% macro chaves_dos_agentes() -%}
    siglas as (
        select distinct
            {{ sigla_agente('c.sig_agente') }} as agente,
            c.distribuidora_id
        from {{ ref('distribuidora_agente') }} as c
        inner join {{ ref('distribuidora') }} as d on c.distribuidora_id = d.id
    ),

    cnpjs as (
        select
            c.cnpj,
            min(c.distribuidora_id) as distribuidora_id
        from {{ ref('distribuidora_agente') }} as c
        inner join {{ ref('distribuidora') }} as d on c.distribuidora_id = d.id
        where c.cnpj is not null
        group by c.cnpj
    )
{%- endmacro %}

{# The joins to them, of a relation with sig_agente and cnpj: the CNPJ says more than the acronym. #}
{% macro junta_agente(tabela) -%}
    left join cnpjs on {{ tabela }}.cnpj = cnpjs.cnpj
    left join siglas on {{ sigla_agente(tabela ~ '.sig_agente') }} = siglas.agente
{%- endmacro %}

{% macro distribuidora_do_agente() -%}
    coalesce(cnpjs.distribuidora_id, siglas.distribuidora_id)
{%- endmacro %}

{# SAMP's class as classe_consumo.grupo says it. #}
{% macro grupo_da_classe(classe) -%}
    {%- set plana = sigla_agente(classe) -%}
    case
        when {{ plana }} like 'RESIDENCIAL%' then 'residencial'
        when {{ plana }} like 'INDUSTRIAL%' then 'industrial'
        when {{ plana }} like 'COMERCIA%' then 'comercial'
        when {{ plana }} like 'RURAL%' then 'rural'
        when {{ plana }} like 'PODERPUBLICO%' or {{ plana }} like 'PODERESPUBLICOS%' then 'poder público'
        when {{ plana }} like 'ILUMINACAOPUBLICA%' then 'iluminação pública'
        when {{ plana }} like 'SERVICOPUBLICO%' or {{ plana }} like 'SERVICOSPUBLICOS%' then 'serviço público'
        when {{ plana }} like 'CONSUMOPROPRIO%' then 'consumo próprio'
        else 'não informado'
    end
{%- endmacro %}

{# CTE `codigos`: a município's code of seven digits, and the same without the check digit. #}
{% macro codigos_dos_municipios() -%}
    codigos as (
        select
            id as municipio_id,
            id as codigo
        from {{ ref('municipio') }}
        union all
        select
            id as municipio_id,
            id / 10 as codigo
        from {{ ref('municipio') }}
    )
{%- endmacro %}
