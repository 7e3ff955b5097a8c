{# PostGIS by its schema's name, wherever its administrator put it: no connection's search_path is counted on. #}

{# What stands before a name of PostGIS's: its schema and a dot. #}
{% macro postgis() -%}
    {%- if execute -%}
        {%- for extensao in run_query(
            "select quote_ident(n.nspname) as esquema from pg_extension as e "
            "inner join pg_namespace as n on e.extnamespace = n.oid where e.extname = 'postgis'"
        ) -%}
            {{ return(extensao.esquema ~ '.') }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{# A contract's yml cannot know the schema: said before the root is made. #}
{% macro qualify_geometry() %}
    {% for coluna in model.columns.values() if coluna.data_type.startswith('geometry') %}
        {% do coluna.update({'data_type': postgis() ~ coluna.data_type}) %}
    {% endfor %}
{% endmacro %}
