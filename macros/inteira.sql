{# Materialization `inteira`: a table of open data, written anew in place when something that it is made of changed.

   Made once, never dropped; rows change in one transaction, so that readers see all of the old or all of the new.
   What it is made of: its SQL, the files landed of the datasets that it reads, seeds, domains, other such tables. #}

{# What the model at hand is made of now, as one text. #}
{% macro feita_de() %}
    {% set partes = [local_md5(sql ~ tojson(model.columns)), md5_dos_parametros()] %}
    {% for fonte in graph.sources.values() if fonte.source_name == 'aberto' and fonte.relation_name in sql %}
        {% do partes.append(run_query(
            "select concat_ws('.', '" ~ fonte.identifier ~ "', count(*), max(arquivo_id)) from controle.aberto_arquivo"
            " where 'aberto_' || conjunto = '" ~ fonte.identifier ~ "'"
        )[0][0]) %}
    {% endfor %}
    {% for id in model.depends_on.nodes if id in graph.nodes and graph.nodes[id].config.materialized == 'inteira' %}
        {% do partes.append(run_query(
            "select escrita_em::text from controle.inteira where nome = '" ~ graph.nodes[id].name ~ "'"
        )[0][0] or '') %}
    {% endfor %}
    {{ return(partes | join(' ')) }}
{% endmacro %}

{% materialization inteira, adapter='postgres' %}
    {% set alvo = this.incorporate(type='table') %}
    {% set existia = load_cached_relation(this) %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% set assinatura = assinatura_do_modelo() %}
    {% set intacta = esta_intacta([alvo], assinatura) %}
    {% set agora = feita_de() %}
    {% set antes = run_query("select feita_de from controle.inteira where nome = '" ~ this.identifier ~ "'") %}
    {% if intacta and antes and antes[0][0] == agora %}
        {% do executa('select 1') %}
        {% call noop_statement('main', 'em dia', 'EM DIA', 0) %}{{ sql }}{% endcall %}
    {% else %}
        {% set _ = get_assert_columns_equivalent(sql) %}
        {# Both lock domain tables that other tables reference too: each in a transaction of its own, against deadlocks. #}
        {% if not existia %}
            {% do executa(
                'select controle.insiste($insiste$create table if not exists ' ~ alvo ~ ' '
                ~ get_table_columns_and_constraints() ~ '$insiste$)'
            ) %}
            {% do adapter.commit() %}
            {% do inicia_transacao() %}
        {% endif %}
        {% if 'distribuidora_id' in model.columns %}
            {% do executa('select controle.entra_quem_aterrissou()') %}
            {% do adapter.commit() %}
            {% do inicia_transacao() %}
        {% endif %}
        {% set existentes = adapter.get_columns_in_relation(alvo) | map(attribute='name') | list %}
        {% for coluna in model.columns.values() if coluna.name not in existentes %}
            {% do executa(
                "select controle.insiste('alter table " ~ alvo ~ " add column if not exists " ~ coluna.name ~ " "
                ~ coluna.data_type ~ "')"
            ) %}
        {% endfor %}
        {% set colunas = model.columns.keys() | join(', ') %}
        {% call statement('main') %}
            delete from {{ alvo }};
            insert into {{ alvo }} ({{ colunas }})
            select {{ colunas }} from ({{ sql }}) as nova;
        {% endcall %}
        {% do garante_indices(alvo) %}
        {% do executa(
            "insert into controle.inteira (nome, feita_de, escrita_em) values ('" ~ this.identifier ~ "', '" ~ agora
            ~ "', clock_timestamp()) on conflict (nome) do update set feita_de = excluded.feita_de, "
            'escrita_em = excluded.escrita_em'
        ) %}
        {% if config.get('meta', {}).get('da_safra') %}
            {# Safras that failed with the rows of before are tried again. #}
            {% do executa("delete from controle.safra_reprovada where invocacao <> '" ~ invocation_id ~ "'") %}
        {% endif %}
        {% do apply_grants(alvo, config.get('grants'), should_revoke=should_revoke(existia, false)) %}
        {% do persist_docs(alvo, model) %}
        {% do anota_intacta([alvo], assinatura) %}
    {% endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [alvo]}) }}
{% endmaterialization %}
