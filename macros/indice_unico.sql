{# Whether a relation has a valid unique index over exactly these columns (nulls, if any, not distinct). #}
{% macro indice_unico(relacao, colunas) %}
    {% if relacao.identifier is not defined %}{{ return(false) }}{% endif %}
    {% set consulta %}
        select exists (
            select from pg_index as i
            where
                i.indrelid = to_regclass('{{ relacao.include(database=false) }}')
                and i.indisunique
                and i.indisvalid
                and i.indpred is null
                and (
                    select array_agg(a.attname order by a.attname) filter (
                        where a.attnotnull or i.indnullsnotdistinct
                    )
                    from pg_attribute as a
                    where a.attrelid = i.indrelid and a.attnum = any(i.indkey)
                ) = array['{{ colunas | sort | join("', '") }}']::name []
        )
    {% endset %}
    {{ return(run_query(consulta)[0][0]) }}
{% endmacro %}
