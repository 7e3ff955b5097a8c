{# What a constraint in PostgreSQL's catalogue proves of a relation, so that a data test need not read its
   rows. Each is false for what is no table, a subquery for instance. #}

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

{# Whether the table of the running test is to refuse a null in the column, by its model's contract. #}
{% macro contrato_recusa_nulo(relacao, coluna) %}
    {% set dono = graph.nodes.get(model.attached_node) %}
    {% if relacao.identifier is not defined or not dono or not dono.config.contract.enforced %}
        {{ return(false) }}
    {% endif %}
    {{ return(recusa_nulo(dono.columns[coluna])) }}
{% endmacro %}

{# Whether a column of a contract is not null. #}
{% macro recusa_nulo(coluna) %}
    {{ return('not_null' in coluna.constraints | map(attribute='type') | map('string') | list) }}
{% endmacro %}

{# Whether a validated foreign key ties the column, in every partition, to that column of the other table or of
   partitions of it: of the published ones too, where only the child was built again. #}
{% macro chave_estrangeira(relacao, coluna, outra, campo) %}
    {% if relacao.identifier is not defined or outra.identifier is not defined %}{{ return(false) }}{% endif %}
    {% set consulta %}
        select coalesce(bool_and(exists (
            select
            from pg_constraint as c,
                unnest(c.conkey, c.confkey) as k (de, para)
            inner join pg_attribute as a on k.de = a.attnum
            inner join pg_attribute as b on k.para = b.attnum
            where
                c.conrelid = f.relid
                and c.contype = 'f'
                and c.convalidated
                and (
                    c.confrelid = to_regclass('{{ outra.include(database=false) }}')
                    or c.confrelid in (
                        select relid from pg_partition_tree('{{ outra.include(database=false) }}')
                    )
                    {% if outra.schema == 'construcao' %}
                    or c.confrelid in (
                        select relid from pg_partition_tree(controle.raiz_da_safra('{{ outra.identifier }}'))
                    )
                    {% endif %}
                )
                and a.attrelid = c.conrelid
                and a.attname = '{{ coluna }}'
                and b.attrelid = c.confrelid
                and b.attname = '{{ campo }}'
        )), false)
        from pg_partition_tree('{{ relacao.include(database=false) }}') as f
        where f.isleaf
    {% endset %}
    {{ return(run_query(consulta)[0][0]) }}
{% endmacro %}

{# The columns of a relation that find a row again and say nothing of a person; none of a subquery. #}
{% macro chaves_da_linha(relacao) %}
    {% if not execute or relacao.identifier is not defined %}{{ return([]) }}{% endif %}
    {{ return(
        adapter.get_columns_in_relation(relacao) | map(attribute='name')
        | select('in', ['uc_id', 'ano', 'distribuidora_id', 'origem', 'mes']) | list
    ) }}
{% endmacro %}
