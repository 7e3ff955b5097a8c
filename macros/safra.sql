{# Materialization `safra`: a table partitioned by range (ano, distribuidora_id), built one leaf at a time.

   The model's SQL names the roots, without filter; this replaces each root's name by the leaf of the safra
   at hand, so the cost of a safra does not depend on how many others there are. A leaf is built in schema
   construcao; materialization `publicacao` swaps tested leaves into intel_lead. The root is created once
   from the model's contract and never dropped. Config: safra_pai = the model whose leaf the leaf references;
   dominios_abertos = SQL run before a leaf is built, with {sufixo} and {distribuidora_id} filled in. #}

{% macro executa(comando) %}
    {% call statement('safra', auto_begin=True) %}{{ comando }}{% endcall %}
{% endmacro %}

{# After each adapter.commit() that statements follow. dbt-postgres leaves BEGIN to psycopg2, which sends none
   once dbt has sent a COMMIT of its own: without this, each statement that follows is a transaction. #}
{% macro inicia_transacao() %}
    {% do executa('begin') %}
{% endmacro %}

{# Creates the root if it is missing; a column that the contract gained is added, anything else that
   differs needs a migration by hand, because a root is never dropped. #}
{% macro garante_raiz(raiz) %}
    {% do executa(
        'create table if not exists ' ~ raiz ~ ' ' ~ get_table_columns_and_constraints()
        ~ ' partition by range (ano, distribuidora_id)'
    ) %}
    {% set existentes = adapter.get_columns_in_relation(raiz) | map(attribute='name') | list %}
    {% for coluna in model.columns.values() if coluna.name not in existentes %}
        {% do executa(
            "select controle.insiste('alter table " ~ raiz ~ ' add column if not exists ' ~ coluna.name ~ ' '
            ~ coluna.data_type ~ "')"
        ) %}
    {% endfor %}
    {% for nome in existentes if nome not in model.columns %}
        {% do exceptions.raise_compiler_error(
            raiz ~ ' has a column ' ~ nome ~ ' that the contract of ' ~ model.name
            ~ ' lacks: rename or drop it by a migration in the database first'
        ) %}
    {% endfor %}
    {% for indice in config.get('indexes', []) %}
        {% do executa(
            'create index if not exists ' ~ raiz.identifier ~ '_' ~ indice.columns | join('_') ~ '_idx on '
            ~ raiz ~ ' using ' ~ indice.get('type', 'btree') ~ ' (' ~ indice.columns | join(', ') ~ ')'
        ) %}
    {% endfor %}
{% endmacro %}

{# Identity of what all leaves are made of: the code and contracts of every safra and staging model, and what
   the macros that they share render to. One for all models, so that a change rebuilds a safra whole. #}
{% macro md5_dos_modelos() %}
    {# Not the database's name: a restored copy must not be built again. #}
    {% set partes = [codigo_dos_macros_da_safra() | replace(this.include(schema=false, identifier=false) ~ '.', '')] %}
    {% for no in graph.nodes.values() | sort(attribute='unique_id')
        if no.resource_type == 'model' and no.config.materialized in ('safra', 'ephemeral') %}
        {% do partes.append(no.raw_code ~ no.constraints) %}
        {% for coluna in no.columns.values() %}
            {% do partes.append(coluna.name ~ ' ' ~ coluna.data_type ~ ' ' ~ coluna.constraints) %}
        {% endfor %}
    {% endfor %}
    {{ return(local_md5(partes | join(' '))) }}
{% endmacro %}

{# The model's parents that are safra tables too, by table name. #}
{% macro pais_do_modelo() %}
    {% set pais = [] %}
    {% for id in model.depends_on.nodes if id in graph.nodes %}
        {% if graph.nodes[id].config.materialized == 'safra' %}
            {% do pais.append(graph.nodes[id].alias) %}
        {% endif %}
    {% endfor %}
    {{ return(pais) }}
{% endmacro %}

{# Safras that the landing gate holds (loaders/gate): not built, so not published, until a better file
   lands or a person releases them. One that is asked for is an error that names the remedy. #}
{% macro recusa_retida(pedida) %}
    {% set retidas = run_query(
        "select motivo_retencao from controle.safra_importada where retida and "
        "distribuidora_id || '-' || ano = '" ~ pedida ~ "'"
    ) %}
    {% if retidas %}
        {% do exceptions.raise_compiler_error(
            'safra ' ~ pedida ~ ' is held at the landing gate: ' ~ retidas[0][0] ~ '. Land a better file, or '
            ~ 'accept this one: python -m loaders liberar ' ~ pedida ~ ' --motivo "…"'
        ) %}
    {% endif %}
{% endmacro %}

{% macro avisa_retidas() %}
    {% for safra in run_query(
        "select distribuidora_id || '-' || ano as chave, motivo_retencao from controle.safra_importada "
        'where retida order by ano, distribuidora_id'
    ) %}
        {% do log(
            'safra ' ~ safra.chave ~ ' is held and left as it was: ' ~ safra.motivo_retencao
            ~ '; to accept it: python -m loaders liberar ' ~ safra.chave ~ ' --motivo "…"', info=true
        ) %}
    {% endfor %}
{% endmacro %}

{# Safras to build now: the one asked for; else those whose import, SQL or parent changed since, or of which
   another table is being rebuilt (a safra is rebuilt and published whole). Held ones are left out. #}
{% macro safras_pendentes(md5) %}
    {% set pedida = safra_pedida() %}
    {% if pedida %}{% do recusa_retida(pedida) %}{% endif %}
    {% set consulta %}
        select i.ano, i.distribuidora_id, i.import_id
        from controle.safra_importada as i
        left join controle.safra_construida as c
            on c.modelo = '{{ this.identifier }}'
            and c.ano = i.ano
            and c.distribuidora_id = i.distribuidora_id
        where not i.retida and (
            {% if pedida %}i.distribuidora_id || '-' || i.ano = '{{ pedida }}'
            {% elif should_full_refresh() %}true
            {% else %}
            c.import_id is distinct from i.import_id
            or c.sql_md5 is distinct from '{{ md5 }}'
            or exists (
                select from controle.safra_construida as pai
                where
                    pai.modelo = any(array['{{ pais_do_modelo() | join("', '") }}'])
                    and pai.ano = i.ano
                    and pai.distribuidora_id = i.distribuidora_id
                    and pai.construida_em > c.construida_em
            )
            or c.publicada and exists (
                select from controle.safra_construida as outra
                where
                    outra.ano = i.ano
                    and outra.distribuidora_id = i.distribuidora_id
                    and not outra.publicada
            )
            {% endif %}
        )
        order by i.ano, i.distribuidora_id
    {% endset %}
    {% set pendentes = run_query(consulta) %}
    {% if pedida and not pendentes %}
        {% do exceptions.raise_compiler_error(
            'safra ' ~ pedida ~ ' is not landed: run python -m loaders bdgd FILE first'
        ) %}
    {% endif %}
    {{ return(pendentes) }}
{% endmacro %}

{# The model's SQL with every partitioned table's name replaced by this safra's leaf: the one under
   construction, or the published one where that table was not rebuilt. #}
{% macro sql_da_safra(sufixo) %}
    {% set ns = namespace(texto=sql) %}
    {% for no in graph.nodes.values() if no.resource_type == 'model' and no.config.materialized == 'safra'
        and no.relation_name in ns.texto %}
        {% set folha = run_query("select controle.folha_da_safra('" ~ no.alias ~ sufixo ~ "')")[0][0] %}
        {% set ns.texto = ns.texto | replace(no.relation_name, folha) %}
    {% endfor %}
    {% for fonte in graph.sources.values() if fonte.config.meta.get('por_safra') %}
        {% set ns.texto = ns.texto | replace(fonte.relation_name, 'raw_safra.' ~ fonte.identifier ~ sufixo) %}
    {% endfor %}
    {{ return(ns.texto) }}
{% endmacro %}

{% macro constroi_folha(safra, md5) %}
    {% set sufixo = '_' ~ safra.distribuidora_id ~ '_' ~ safra.ano %}
    {% set folha = this.identifier ~ sufixo %}
    {% set pai = config.get('safra_pai') %}
    {% do inicia_transacao() %}
    {% do executa(
        "select controle.descarta_obra('" ~ this.identifier ~ "', " ~ safra.ano ~ ', '
        ~ safra.distribuidora_id ~ ')'
    ) %}
    {% do adapter.commit() %}
    {% do inicia_transacao() %}
    {# Measured on 500 k UCs: JIT and memoize only cost here (lead_resumo_anual 6.4 s with them, 2.7 without). #}
    {% do executa("set local jit = off; set local enable_memoize = off; set local work_mem = '256MB'") %}
    {% if config.get('dominios_abertos') %}
        {% do executa(
            config.get('dominios_abertos')
            | replace('{sufixo}', sufixo)
            | replace('{distribuidora_id}', safra.distribuidora_id | string)
        ) %}
    {% endif %}
    {% call statement('folha', fetch_result=False, auto_begin=True) %}
        create table construcao.{{ folha }} with (autovacuum_enabled = false) as {{ sql_da_safra(sufixo) }}
    {% endcall %}
    {% set linhas = load_result('folha').response.rows_affected %}
    {% do executa(
        "select controle.completa_folha('" ~ this.identifier ~ "', '" ~ folha ~ "', " ~ safra.ano ~ ', '
        ~ safra.distribuidora_id ~ ', ' ~ ("'" ~ pai ~ "'" if pai else 'null') ~ ')'
    ) %}
    {# The raw leaf stays locked from CREATE TABLE AS on: if the import is still the same, it was all along. #}
    {% set gravadas = run_query(
        'insert into controle.safra_construida '
        '(modelo, ano, distribuidora_id, import_id, sql_md5, invocacao, linhas) '
        "select '" ~ this.identifier ~ "', ano, distribuidora_id, import_id, '" ~ md5 ~ "', '"
        ~ invocation_id ~ "', " ~ linhas ~ ' from controle.safra_importada where ano = ' ~ safra.ano
        ~ ' and distribuidora_id = ' ~ safra.distribuidora_id ~ ' and import_id = ' ~ safra.import_id
        ~ ' on conflict (modelo, ano, distribuidora_id) do update set '
        'import_id = excluded.import_id, sql_md5 = excluded.sql_md5, invocacao = excluded.invocacao, '
        'linhas = excluded.linhas, construida_em = clock_timestamp(), publicada = false returning 1'
    ) %}
    {% if not gravadas %}
        {% do exceptions.raise_compiler_error(
            'safra ' ~ safra.distribuidora_id ~ '-' ~ safra.ano
            ~ ' was landed again while it was being built: run dbt build again'
        ) %}
    {% endif %}
    {% do adapter.commit() %}
    {{ return(linhas) }}
{% endmacro %}

{% materialization safra, adapter='postgres' %}
    {% set raiz = this.incorporate(type='table') %}
    {% set existia = load_cached_relation(this) %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% set raiz_obra = api.Relation.create(
        database=this.database, schema='construcao', identifier=this.identifier, type='table') %}
    {% set _ = get_assert_columns_equivalent(sql) %}
    {% do garante_raiz(raiz) %}
    {% do garante_raiz(raiz_obra) %}
    {% do adapter.commit() %}

    {% set md5 = md5_dos_modelos() %}
    {% set total = namespace(safras=0, linhas=0) %}
    {% for safra in ([] if flags.EMPTY else safras_pendentes(md5)) %}
        {% set total.linhas = total.linhas + constroi_folha(safra, md5) %}
        {% set total.safras = total.safras + 1 %}
    {% endfor %}

    {% do inicia_transacao() %}
    {% call noop_statement(
        'main', total.safras ~ ' safras, ' ~ total.linhas ~ ' linhas', 'SAFRA', total.linhas
    ) %}{{ sql }}{% endcall %}
    {% do apply_grants(raiz, config.get('grants'), should_revoke=should_revoke(existia, false)) %}
    {% do persist_docs(raiz, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [raiz]}) }}
{% endmaterialization %}
