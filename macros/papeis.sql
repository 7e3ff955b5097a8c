{# Who may read what dbt makes. Belongs here: how config `grants` is applied. Not here: the roles themselves and
   the privileges on schemas and raw (server/roles.py). #}

{# Stock dbt revokes what the config does not name. Here grants are only added, so that a rebuild keeps those
   that others gave, and a role that server/roles.py has not made is passed over. #}
{% macro postgres__apply_grants(relation, grant_config, should_revoke) %}
    {% for privilegio, papeis in (grant_config or {}).items() %}
        {% set faltam = run_query(
            "select string_agg(quote_ident(rolname), ', ') from pg_roles where rolname = any(array['"
            ~ papeis | join("', '") ~ "']) and not has_table_privilege(rolname, '"
            ~ relation.include(database=false) ~ "', '" ~ privilegio ~ "')"
        )[0][0] %}
        {% if faltam %}
            {% do executa('grant ' ~ privilegio ~ ' on ' ~ relation ~ ' to ' ~ faltam) %}
        {% endif %}
    {% endfor %}
{% endmacro %}
