{# Which relation a name means. Belongs here: overrides of dbt's naming and of its column lookup. #}

{# Schemas are the contract, so they are never prefixed with the target's. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}

{# The safras asked for ("401-2024,598-2022"), or none. The environment costs no re-parse, --vars does. #}
{% macro safras_pedidas() %}
    {% set pedidas = (env_var('DBT_SAFRA', '') or var('safra')) | replace(',', ' ') %}
    {% for pedida in pedidas.split() if not modules.re.match('^[0-9]+-[0-9]{4}$', pedida) %}
        {% do exceptions.raise_compiler_error(
            "safra '" ~ pedida ~ "' is not of the form DISTRIBUIDORA-ANO, for instance 401-2024"
        ) %}
    {% endfor %}
    {{ return(pedidas.split()) }}
{% endmacro %}

{# A test that reads a view runs after publication and judges what readers see. #}
{% macro testa_publicado() %}
    {% for id in model.depends_on.nodes if id in graph.nodes %}
        {% if graph.nodes[id].config.materialized not in ('safra', 'ephemeral', 'dominio', 'seed') %}
            {{ return(true) }}
        {% endif %}
    {% endfor %}
    {{ return(var('testar') == 'publicado') }}
{% endmacro %}

{# In a data test a safra model means what is about to be published: all safras under construction,
   or the leaf of the only one asked for (where nothing of it is under construction, its published leaf). #}
{% macro ref() %}
    {% set relacao = builtins.ref(*varargs, **kwargs) %}
    {% if not execute or model is not defined or model.resource_type != 'test' or testa_publicado() %}
        {{ return(relacao) }}
    {% endif %}
    {% set alvo = graph.nodes.values()
        | selectattr('resource_type', 'equalto', 'model')
        | selectattr('relation_name', 'equalto', relacao | string) | first %}
    {% if not alvo or alvo.config.materialized != 'safra' %}{{ return(relacao) }}{% endif %}
    {% set pedidas = safras_pedidas() %}
    {% if pedidas | length == 1 %}
        {% set folha = alvo.alias ~ '_' ~ pedidas[0] | replace('-', '_') %}
        {% for esquema in ('construcao', 'safra') %}
            {% if run_query("select to_regclass('" ~ esquema ~ '.' ~ folha ~ "')")[0][0] %}
                {{ return(api.Relation.create(
                    database=relacao.database, schema=esquema, identifier=folha)) }}
            {% endif %}
        {% endfor %}
    {% endif %}
    {% set obra = api.Relation.create(
        database=relacao.database, schema='construcao', identifier=relacao.identifier) %}
    {{ return(obra_completa(obra, relacao, alvo) if tabelas_lidas() | length > 1 else obra) }}
{% endmacro %}

{# The safra tables that the model or test at hand reads, by name. #}
{% macro tabelas_lidas() %}
    {% set tabelas = [] %}
    {% for id in model.depends_on.nodes | unique if id in graph.nodes %}
        {% if graph.nodes[id].config.materialized == 'safra' %}{% do tabelas.append(graph.nodes[id].alias) %}{% endif %}
    {% endfor %}
    {{ return(tabelas) }}
{% endmacro %}

{# What a test that relates tables reads of one of them: a safra of which others are under construction, and this one
   is not, has its published leaf. A temporary view, gone with the test's transaction. #}
{% macro obra_completa(obra, publicada, modelo) %}
    {# Nothing was ever built: sqlfluff and dbt compile on an empty database. #}
    {% if not run_query("select to_regclass('controle.safra_construida') is not null")[0][0] %}{{ return(obra) }}{% endif %}
    {% set ficam = run_query(
        "select distinct c.ano, c.distribuidora_id from controle.safra_construida as c "
        ~ "inner join controle.safra_construida as o using (ano, distribuidora_id) where c.modelo = '" ~ modelo.alias
        ~ "' and c.publicada and not o.publicada and o.modelo = any(array['" ~ tabelas_lidas() | join("', '") ~ "'])"
    ) %}
    {% if not ficam | length %}{{ return(obra) }}{% endif %}
    {% set safras = [] %}
    {% for s in ficam %}{% do safras.append('(' ~ s.ano ~ ', ' ~ s.distribuidora_id ~ ')') %}{% endfor %}
    {% set colunas = modelo.columns | join(', ') %}
    {% set vista = api.Relation.create(identifier='em_teste_' ~ modelo.alias).include(database=false, schema=false) %}
    {% do run_query(
        'create or replace temporary view ' ~ vista ~ ' as select ' ~ colunas ~ ' from ' ~ obra ~ ' union all select '
        ~ colunas ~ ' from ' ~ publicada ~ ' where (ano, distribuidora_id) in (' ~ safras | join(', ') ~ ')'
    ) %}
    {{ return(vista) }}
{% endmacro %}

{# The safras that a test judges, each with the import that it was built from: a select. #}
{% macro safras_em_teste() -%}
    {%- set pedidas = safras_pedidas() -%}
    select ano, distribuidora_id, max(import_id) as import_id
    from controle.safra_construida
    where
        modelo = any(array['{{ tabelas_lidas() | join("', '") }}'])
        {%- if pedidas | length == 1 %}
        and distribuidora_id || '-' || ano = '{{ pedidas[0] }}'
        {%- else %}
        and {{ '' if testa_publicado() else 'not ' }}publicada
        {%- endif %}
    group by ano, distribuidora_id
{%- endmacro %}

{# information_schema says USER-DEFINED for enums and geometry; unit tests cast to what this returns. #}
{% macro postgres__get_columns_in_relation(relation) -%}
    {% call statement('get_columns_in_relation', fetch_result=True) %}
        select
            a.attname as column_name,
            format_type(a.atttypid, a.atttypmod) as data_type,
            null::integer as character_maximum_length,
            null::integer as numeric_precision,
            null::integer as numeric_scale
        from pg_attribute as a
        inner join pg_class as c on a.attrelid = c.oid
        inner join pg_namespace as n on c.relnamespace = n.oid
        where
            c.relname = '{{ relation.identifier }}'
            and a.attnum > 0
            and not a.attisdropped
            and {% if relation.schema %}n.nspname = '{{ relation.schema }}'
            {%- else %}n.oid = pg_my_temp_schema(){% endif %}
        order by a.attnum
    {% endcall %}
    {{ return(sql_convert_columns_in_relation(load_result('get_columns_in_relation').table)) }}
{%- endmacro %}
