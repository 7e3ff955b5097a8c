{# Materialization `safra`: a table partitioned by range (ano, distribuidora_id), built one leaf at a time.

   The model's SQL names the roots, without filter; this replaces each root's name by the leaf of the safra
   at hand, so the cost of a safra does not depend on how many others there are. A leaf is built in schema
   construcao; materialization `publicacao` swaps tested leaves into the root, which is in intel_lead or marts. The
   root is created once from the model's contract and never dropped. Config: safra_pai = the model whose leaf the leaf
   references; dominios_abertos = SQL run before a leaf is built, with {sufixo} and {distribuidora_id} filled in. #}

{% macro executa(comando) %}
    {% call statement('safra', auto_begin=True) %}{{ comando }}{% endcall %}
{% endmacro %}

{# After each adapter.commit() that statements follow. dbt-postgres leaves BEGIN to psycopg2, which sends none
   once dbt has sent a COMMIT of its own: without this, each statement that follows is a transaction. #}
{% macro inicia_transacao() %}
    {% do executa('begin') %}
{% endmacro %}

{# Creates the root if it is missing; a column that the contract gained is added, anything else that
   differs needs a migration by hand, because a root is never dropped. Of the published root a new column may be
   null until every safra is built again; then publication takes over what the contract asks (exige_na_publicada).
   The published root is partitioned; leaves under construction inherit from theirs. #}
{% macro garante_raiz(raiz) %}
    {% do executa(
        'create table if not exists ' ~ raiz ~ ' ' ~ get_table_columns_and_constraints()
        ~ ('' if raiz.schema == 'construcao' else ' partition by range (ano, distribuidora_id)')
    ) %}
    {% set existentes = adapter.get_columns_in_relation(raiz) | map(attribute='name') | list %}
    {% for coluna in model.columns.values() if coluna.name not in existentes %}
        {% set obrigatoria = raiz.schema == 'construcao' and recusa_nulo(coluna) %}
        {# Leaves under construction are of the SQL before, and built anew in this command. #}
        {% if obrigatoria %}{% do executa("select controle.descarta_obras('" ~ raiz.identifier ~ "')") %}{% endif %}
        {% do executa(
            "select controle.insiste('alter table " ~ raiz ~ ' add column if not exists ' ~ coluna.name ~ ' '
            ~ coluna.data_type ~ (' not null' if obrigatoria else '') ~ "')"
        ) %}
    {% endfor %}
    {% for nome in existentes if nome not in model.columns %}
        {% do exceptions.raise_compiler_error(
            raiz ~ ' has a column ' ~ nome ~ ' that the contract of ' ~ model.name
            ~ ' lacks: rename or drop it by a migration in the database first'
        ) %}
    {% endfor %}
    {% do garante_indices(raiz) %}
{% endmacro %}

{# The model's indexes, each named by its columns: dbt's own names differ from database to database. #}
{% macro garante_indices(tabela) %}
    {% for indice in config.get('indexes', []) %}
        {% do executa(
            'create index if not exists ' ~ tabela.identifier ~ '_' ~ indice.columns | join('_') ~ '_idx on '
            ~ tabela ~ ' using ' ~ indice.get('type', 'btree') ~ ' (' ~ indice.columns | join(', ') ~ ')'
        ) %}
    {% endfor %}
{% endmacro %}

{# Identity of what all leaves are made of: the code and contracts of every safra and staging model, and what
   the macros that they share render to. One for all models, so that a change rebuilds a safra whole. Computed once a
   command (cria_controle), read by every model. #}
{% macro md5_dos_modelos() %}
    {# Not the database's name: a restored copy must not be built again. #}
    {% set partes = [codigo_dos_macros_da_safra() | replace('"' ~ target.database ~ '".', '')] %}
    {% for no in graph.nodes.values() | sort(attribute='unique_id')
        if no.resource_type == 'model' and no.config.materialized in ('safra', 'ephemeral') %}
        {% do partes.append(no.raw_code ~ no.constraints) %}
        {% for coluna in no.columns.values() %}
            {% do partes.append(coluna.name ~ ' ' ~ coluna.data_type ~ ' ' ~ coluna.constraints) %}
        {% endfor %}
    {% endfor %}
    {{ return(local_md5(partes | join(' '))) }}
{% endmacro %}

{# Identity of the reference rows that the model reads of itself: seeds and domain tables, by content, as they are
   when it is built. What its parents read makes these new, and so the model. One that stands in a comment only sets
   the order. Of an open domain what a seed documents: a landing adds the rest. A table of which a safra takes a part
   (meta da_safra) counts by that part: controle.parametros_da_safra. #}
{% macro md5_dos_parametros() %}
    {% set partes = [] %}
    {% set corpo = modules.re.sub('--.*', '', sql) %}
    {% for id in model.depends_on.nodes | unique | sort if id in graph.nodes %}
        {% set no = graph.nodes[id] %}
        {% if (no.resource_type == 'seed' or no.config.materialized == 'dominio') and no.relation_name in corpo
            and not no.config.meta.get('da_safra') %}
            {% do partes.append(
                "(select '" ~ no.name ~ " ' || md5(coalesce(string_agg(t::text, ' ' order by t::text), '')) from "
                ~ no.relation_name ~ ' as t' ~ (' where documentado' if 'documentado' in no.columns) ~ ')'
            ) %}
        {% endif %}
    {% endfor %}
    {{ return(run_query('select md5(' ~ partes | join(" || ") ~ ')')[0][0] if partes else '') }}
{% endmacro %}

{# Safras that the landing gate holds (loaders/gate): not built, so not published, until a better file
   lands or a person releases them. One that is asked for is an error that names the remedy. #}
{% macro recusa_o_que_falta(pedidas) %}
    {% for p in run_query(
        "select p as chave, i.ano, i.retida, i.motivo_retencao from unnest(array['" ~ pedidas | join("', '")
        ~ "']) as p left join controle.safra_importada as i on i.distribuidora_id || '-' || i.ano = p"
    ) %}
        {% if p.ano is none %}
            {% do exceptions.raise_compiler_error(
                'safra ' ~ p.chave ~ ' não aterrissou: antes, .venv/bin/python -m loaders bdgd ARQUIVO'
            ) %}
        {% elif p.retida %}
            {% do exceptions.raise_compiler_error(
                'safra ' ~ p.chave ~ ' está retida no portão: ' ~ p.motivo_retencao ~ '. Carregue um arquivo '
                ~ 'melhor, ou aceite este: .venv/bin/python -m loaders liberar ' ~ p.chave ~ ' --motivo "…"'
            ) %}
        {% endif %}
    {% endfor %}
{% endmacro %}

{% macro avisa_retidas() %}
    {% for safra in run_query(
        "select distribuidora_id || '-' || ano as chave, motivo_retencao from controle.safra_importada "
        'where retida order by ano, distribuidora_id'
    ) %}
        {% do log(
            'safra ' ~ safra.chave ~ ' está retida e fica como estava: ' ~ safra.motivo_retencao
            ~ '; para aceitar: .venv/bin/python -m loaders liberar ' ~ safra.chave ~ ' --motivo "…"', info=true
        ) %}
    {% endfor %}
{% endmacro %}

{# Safras to build now: those asked for; else those whose import, SQL, parameters or parent changed since, or whose
   safra before is another one than was read. Left out: what the gate holds, and what failed as it is landed now and as
   the SQL is now (controle.safra_reprovada), unless asked for. #}
{% macro safras_pendentes(md5, parametros, raizes) %}
    {% set pedidas = safras_pedidas() %}
    {% if pedidas %}{% do recusa_o_que_falta(pedidas) %}{% endif %}
    {% set consulta %}
        select
            i.ano, i.distribuidora_id, i.import_id
        from controle.safra_importada as i
        left join controle.safra_construida as c
            on c.modelo = '{{ this.identifier }}'
            and c.ano = i.ano
            and c.distribuidora_id = i.distribuidora_id
        where not i.retida and (
            {% if pedidas %}i.distribuidora_id || '-' || i.ano = any(array['{{ pedidas | join("', '") }}'])
            {% elif should_full_refresh() %}true
            {% else %}
            c.import_id is distinct from i.import_id
            or c.sql_md5 is distinct from '{{ md5 }}'
            or c.parametros_md5 is distinct from
            controle.parametros_da_safra('{{ parametros }}', '{{ raizes }}', i.ano, i.distribuidora_id)
            or exists (
                select from controle.safra_construida as pai
                where
                    pai.modelo = any(array['{{ tabelas_lidas() | join("', '") }}'])
                    and pai.ano = i.ano
                    and pai.distribuidora_id = i.distribuidora_id
                    and pai.construida_em > c.construida_em
            )
            {% endif %}
        )
        and not exists (
            select from controle.safra_reprovada as r
            where
                r.ano = i.ano and r.distribuidora_id = i.distribuidora_id
                and r.import_id = i.import_id and r.sql_md5 = '{{ md5 }}'
                {% if pedidas or should_full_refresh() %}and r.invocacao = '{{ invocation_id }}'{% endif %}
        )
        order by i.ano, i.distribuidora_id
    {% endset %}
    {{ return(run_query(consulta)) }}
{% endmacro %}

{# Names in the model's SQL that mean a safra's leaf → what controle.constroi_folha makes of them, as JSON: the
   leaf under construction, or the published one where that table was not rebuilt; raw's own; of the distributor's
   published safra before this one (a source with meta safra_anterior), or an empty table; of its published safras
   before this one (meta safras_anteriores); of a reference table with meta da_safra, its distributor's rows that this
   condition on {ano} takes. #}
{% macro raizes_do_modelo() %}
    {% set raizes = {} %}
    {% for no in graph.nodes.values() if no.resource_type == 'model' and no.config.materialized == 'safra'
        and no.relation_name in sql %}
        {% do raizes.update({no.relation_name: no.alias}) %}
    {% endfor %}
    {% for fonte in graph.sources.values() if fonte.config.meta.get('por_safra') and fonte.relation_name in sql %}
        {% do raizes.update({fonte.relation_name: 'raw_safra.' ~ fonte.identifier}) %}
    {% endfor %}
    {% for fonte in graph.sources.values()
        if fonte.config.meta.get('safra_anterior') and fonte.relation_name in sql %}
        {% do raizes.update({fonte.relation_name: 'anterior.' ~ fonte.identifier}) %}
    {% endfor %}
    {% for fonte in graph.sources.values()
        if fonte.config.meta.get('safras_anteriores') and fonte.relation_name in sql %}
        {% do raizes.update({fonte.relation_name: 'anteriores.' ~ fonte.identifier}) %}
    {% endfor %}
    {% for no in (graph.nodes.values() | list) + (graph.sources.values() | list)
        if no.config.meta and no.config.meta.get('da_safra') and no.relation_name in sql %}
        {% do raizes.update({no.relation_name: 'parte.' ~ no.config.meta.da_safra}) %}
    {% endfor %}
    {{ return(tojson(raizes)) }}
{% endmacro %}

{# Builds the leaves of these safras, and says how many rows they have: a safra that failed is noted, and said. #}
{% macro constroi_folhas(safras, md5, parametros, raizes) %}
    {% set colunas = [] %}
    {% for coluna, tipo in (('ano', 'integer'), ('distribuidora_id', 'integer'), ('import_id', 'bigint')) %}
        {% do colunas.append('array[' ~ safras.columns[coluna].values() | map('int') | join(', ') ~ ']::' ~ tipo ~ '[]') %}
    {% endfor %}
    {% do run_query(
        "call controle.constroi_folhas('" ~ this.identifier ~ "', " ~ colunas | join(', ') ~ ", '" ~ md5 ~ "', '"
        ~ parametros ~ "', '" ~ invocation_id ~ "', $folha$" ~ sql ~ "$folha$, '" ~ raizes ~ "', "
        ~ ("'" ~ config.get('safra_pai') ~ "'" if config.get('safra_pai') else 'null') ~ ', '
        ~ ('$dominios$' ~ config.get('dominios_abertos') ~ '$dominios$' if config.get('dominios_abertos')
           else 'null') ~ ')'
    ) %}
    {% for falha in run_query(
        "select distribuidora_id || '-' || ano as chave, motivo from controle.safra_reprovada where invocacao = '"
        ~ invocation_id ~ "' and onde = '" ~ this.identifier ~ "' order by ano, distribuidora_id"
    ) %}
        {% do log('safra ' ~ falha.chave ~ ' falhou em ' ~ this.identifier ~ ': ' ~ falha.motivo, info=true) %}
    {% endfor %}
    {{ return(run_query(
        "select coalesce(sum(linhas), 0)::bigint from controle.safra_construida where modelo = '" ~ this.identifier
        ~ "' and invocacao = '" ~ invocation_id ~ "'"
    )[0][0]) }}
{% endmacro %}

{# At the end of every dbt command that builds: what failed makes it fail, after all others were published. #}
{% macro reclama_das_reprovadas() %}
    {% if execute and flags.WHICH in ('build', 'run') %}
        {{ return("select controle.reclama_das_reprovadas('" ~ invocation_id ~ "')") }}
    {% endif %}
{% endmacro %}

{% materialization safra, adapter='postgres' %}
    {% set raiz = this.incorporate(type='table') %}
    {% set existia = load_cached_relation(this) %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% set raiz_obra = api.Relation.create(
        database=this.database, schema='construcao', identifier=this.identifier, type='table') %}
    {% set assinatura = assinatura_do_modelo() %}
    {% set intacta = esta_intacta([raiz, raiz_obra], assinatura) %}
    {% if not intacta %}
        {% do qualify_geometry() %}
        {% set _ = get_assert_columns_equivalent(sql) %}
        {% do garante_raiz(raiz) %}
        {% do garante_raiz(raiz_obra) %}
    {% endif %}
    {% do executa('select 1') %}
    {% do adapter.commit() %}

    {% set md5 = run_query(
        "select sql_md5 from controle.execucao_dbt where invocacao = '" ~ invocation_id ~ "'"
    )[0][0] %}
    {% set parametros = md5_dos_parametros() %}
    {% set raizes = raizes_do_modelo() %}
    {% set safras = [] if flags.EMPTY else safras_pendentes(md5, parametros, raizes) %}
    {% set linhas = constroi_folhas(safras, md5, parametros, raizes) if safras | length else 0 %}

    {% do inicia_transacao() %}
    {% call noop_statement(
        'main', safras | length ~ ' safras, ' ~ linhas ~ ' linhas', 'SAFRA', linhas
    ) %}{{ sql }}{% endcall %}
    {% if not intacta %}
        {% do apply_grants(raiz, config.get('grants'), should_revoke=should_revoke(existia, false)) %}
        {% do persist_docs(raiz, model) %}
        {% do anota_intacta([raiz, raiz_obra], assinatura) %}
    {% endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [raiz]}) }}
{% endmaterialization %}
