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

{# How a company is reached is nobody's on a BI page: what in marts has such columns is bi_leitor's without them. By the
   columns' names, so that server/roles.py, which grants all of marts, asks for the same and needs no list. #}
{% macro funcao_esconde_contatos() %}
create or replace function controle.esconde_contatos() returns void language plpgsql as $f$
declare
    relacao record;
begin
    if to_regrole('bi_leitor') is null then
        return;
    end if;
    for relacao in
        select
            c.oid::regclass as nome,
            string_agg(quote_ident(a.attname), ', ' order by a.attnum)
                filter (where a.attname not in ('telefone', 'email')) as colunas
        from pg_class as c
        inner join pg_attribute as a on c.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'marts'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
        group by c.oid
        having bool_or(a.attname in ('telefone', 'email'))
            and (
                has_table_privilege('bi_leitor', c.oid, 'select')
                or not bool_and(
                    has_column_privilege('bi_leitor', c.oid, a.attnum, 'select')
                    = (a.attname not in ('telefone', 'email')))
            )
    loop
        execute format('revoke select on %s from bi_leitor', relacao.nome);
        execute format('grant select (%s) on %s to bi_leitor', relacao.colunas, relacao.nome);
    end loop;
end
$f$;
{% endmacro %}
