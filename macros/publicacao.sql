{# Materialization `publicacao`: the record of published safras, and the swap that publishes them.

   Only `dbt build` with every test of the safra models selected publishes, and only what the landing gate has
   approved; a failed test skips this node, because it depends on all safra models. Config: none; the tables and
   their order come from the graph. #}

{# Safra models in build order, parents before children. #}
{% macro tabelas_em_ordem() %}
    {% set modelos = {} %}
    {% for id in model.depends_on.nodes if id in graph.nodes and graph.nodes[id].config.materialized == 'safra' %}
        {% do modelos.update({id: graph.nodes[id]}) %}
    {% endfor %}
    {% set ordem = [] %}
    {% for _ in modelos %}
        {% for id, no in modelos.items() if no.alias not in ordem %}
            {% set faltam = [] %}
            {% for pai in no.depends_on.nodes if pai in modelos and modelos[pai].alias not in ordem %}
                {% do faltam.append(pai) %}
            {% endfor %}
            {% if not faltam %}{% do ordem.append(no.alias) %}{% endif %}
        {% endfor %}
    {% endfor %}
    {{ return(ordem) }}
{% endmacro %}

{# Tests that guard publication and are not part of this command. A test that reads something made from
   published data (a view) runs after, and guards nothing. #}
{% macro testes_fora_do_comando() %}
    {% set antes = [] %}
    {% for id in model.depends_on.nodes %}{% do antes.append(id) %}{% endfor %}
    {% for no in graph.nodes.values() if no.config.materialized in ('ephemeral', 'dominio', 'seed') %}
        {% do antes.append(no.unique_id) %}
    {% endfor %}
    {% for id in graph.sources %}{% do antes.append(id) %}{% endfor %}
    {% set fora = [] %}
    {% for teste in graph.nodes.values() if teste.resource_type == 'test'
        and teste.unique_id not in selected_resources
        and teste.config.severity | lower == 'error' %}
        {% set depois = teste.depends_on.nodes | reject('in', antes) | list %}
        {% set da_safra = teste.depends_on.nodes | select('in', model.depends_on.nodes) | select('in', graph.nodes) | list %}
        {% if da_safra and not depois %}{% do fora.append(teste.name) %}{% endif %}
    {% endfor %}
    {{ return(fora) }}
{% endmacro %}

{# Safras whose tables are all built from one import, not held, and tested in this command. One that another dbt
   command built after this one began was not tested here, and waits for that command or the next. `julgada`: the
   whole gate has approved that import (loaders/gate/verdict.py), or a person in spite of it. #}
{% macro safras_prontas(ordem) %}
    {% set pedidas = safras_pedidas() %}
    {# A warehouse of before verdicts, on which no loader of this version has run yet. #}
    {% set ha_vereditos = run_query("select to_regclass('controle.veredito') is not null")[0][0] %}
    {% set consulta %}
        select
            ano, distribuidora_id, min(import_id) as import_id,
            controle.obra_da_safra(ano, distribuidora_id) as obra,
            {% if ha_vereditos %}
            exists (
                select from controle.veredito as v
                where
                    v.aprovada
                    and v.ano = safra_construida.ano
                    and v.distribuidora_id = safra_construida.distribuidora_id
                    and v.import_id = max(safra_construida.import_id)
            ) as julgada
            {% else %}
            false as julgada
            {% endif %}
        from controle.safra_construida
        where modelo = any(array['{{ ordem | join("', '") }}'])
            {% if pedidas %}
            and distribuidora_id || '-' || ano = any(array['{{ pedidas | join("', '") }}'])
            {% endif %}
        group by ano, distribuidora_id
        having
            bool_or(not publicada)
            and not exists (
                select from controle.safra_importada as i
                where
                    i.retida
                    and i.ano = safra_construida.ano
                    and i.distribuidora_id = safra_construida.distribuidora_id
                    and i.import_id = max(safra_construida.import_id)
            )
            and count(*) = {{ ordem | length }}
            and min(import_id) = max(import_id)
            and bool_and(
                invocacao = '{{ invocation_id }}'
                or construida_em < (
                    select iniciada_em from controle.execucao_dbt where invocacao = '{{ invocation_id }}'
                )
            )
        order by ano, distribuidora_id
    {% endset %}
    {{ return(run_query(consulta)) }}
{% endmacro %}

{# Replaced leaves go in a transaction of their own, one try each; what is in use goes next time. #}
{% macro apaga_descartadas() %}
    {% set folhas = run_query(
        "select format('%I.%I', n.nspname, c.relname) as folha from pg_class as c "
        "inner join pg_namespace as n on c.relnamespace = n.oid "
        "where n.nspname = 'descarte' and c.relkind = 'r' order by c.relname"
    ) %}
    {% for folha in folhas %}
        {% do executa("select controle.apaga_descartada(to_regclass('" ~ folha.folha ~ "'))") %}
        {% do adapter.commit() %}
    {% endfor %}
{% endmacro %}

{# The safras published last, as a condition that prunes: what a test of a view judges, at a flat cost. #}
{% macro ultimas_publicadas() %}
    {% set ha = execute and run_query("select to_regclass('intel_lead.safra_publicada') is not null")[0][0] %}
    {% set safras = run_query(
        'select ano, distribuidora_id from intel_lead.safra_publicada order by publicada_em desc limit 10'
    ) if ha else [] %}
    {% set pares = [] %}
    {% for s in safras %}{% do pares.append('(' ~ s.ano ~ ', ' ~ s.distribuidora_id ~ ')') %}{% endfor %}
    {{ return('(ano, distribuidora_id) in (' ~ pares | join(', ') ~ ')' if pares else 'false') }}
{% endmacro %}

{% materialization publicacao, adapter='postgres' %}
    {% set tabela = this.incorporate(type='table') %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% do executa('create table if not exists ' ~ tabela ~ ' ' ~ get_table_columns_and_constraints()) %}
    {% do adapter.commit() %}

    {% do avisa_retidas() %}
    {% set ordem = tabelas_em_ordem() %}
    {% set fora = testes_fora_do_comando() %}
    {% set prontas = [] %}
    {% for safra in safras_prontas(ordem) %}
        {% if safra.julgada %}
            {% do prontas.append(safra) %}
        {% else %}
            {% do log(
                'safra ' ~ safra.distribuidora_id ~ '-' ~ safra.ano ~ ' está construída e não é publicada: o portão '
                ~ 'não julgou a importação ' ~ safra.import_id ~ '. Rode make build', info=true
            ) %}
        {% endif %}
    {% endfor %}
    {% set publicadas = [] %}
    {% if prontas and (flags.WHICH != 'build' or fora) %}
        {% do log(
            'nada é publicado: '
            ~ ('dbt ' ~ flags.WHICH ~ ' não roda testes' if flags.WHICH != 'build'
               else fora | length ~ ' testes dos modelos da safra não foram selecionados, por exemplo ' ~ fora[0]),
            info=true
        ) %}
    {% else %}
        {% for safra in prontas %}
            {% do executa(
                'select controle.publica_safra(' ~ safra.ano ~ ', ' ~ safra.distribuidora_id ~ ', '
                ~ safra.import_id ~ ", '" ~ safra.obra ~ "', array['" ~ ordem | join("', '") ~ "'], 120)"
            ) %}
            {% do adapter.commit() %}
            {% do publicadas.append(safra.distribuidora_id ~ '-' ~ safra.ano) %}
        {% endfor %}
        {% if publicadas %}
            {% do executa("select controle.exige_na_publicada(array['" ~ ordem | join("', '") ~ "'])") %}
            {% do adapter.commit() %}
        {% endif %}
        {% do apaga_descartadas() %}
    {% endif %}

    {% call noop_statement(
        'main', publicadas | length ~ ' publicadas ' ~ publicadas | join(' '), 'PUBLICACAO',
        publicadas | length
    ) %}{{ sql }}{% endcall %}
    {% do persist_docs(tabela, model) %}
    {% do executa('select 1') %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [tabela]}) }}
{% endmaterialization %}
