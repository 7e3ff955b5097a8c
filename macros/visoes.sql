{# Views and materialized views that can change under their readers.

   Stock dbt drops a view to change it, and what others hung on it goes too. Here a view that did not change is
   left alone, for even replacing it waits for its readers and keeps others waiting; a changed one is replaced.
   What PostgreSQL refuses to replace, and any change of a materialized view, goes through controle.recria_visao,
   which rebuilds the dependants, grants and comments in the same transaction.

   Config of a view: barreira = true hides the rows that it leaves out from its readers' own functions and
   from error messages too (security_barrier). #}

{% macro funcao_recria_visao() %}
create or replace function controle.nome_do_papel(papel oid) returns text language sql stable as $f$
    select case papel when 0 then 'public' else quote_ident(papel::regrole::text) end
$f$;
create or replace function controle.recria_visao(alvo regclass, comandos text[]) returns void
language plpgsql as $f$
declare
    restaurar text[] := '{}';
    se_couber text[] := '{}';  -- of the changed one itself: a column it was about may be gone
    objeto record;
    comando text;
    tipo text;
begin
    for objeto in
        with recursive dependentes as (
            select alvo::oid as oid, 0 as nivel
            union all
            select r.ev_class, d.nivel + 1
            from dependentes as d
            inner join pg_depend as p on d.oid = p.refobjid and p.classid = 'pg_rewrite'::regclass
            inner join pg_rewrite as r on p.objid = r.oid and r.ev_class <> d.oid
        )
        select
            c.oid, max(d.nivel) as nivel, c.relkind,
            format('%I.%I', n.nspname, c.relname) as nome, c.relacl, c.relowner, c.reloptions,
            obj_description(c.oid, 'pg_class') as descricao
        from dependentes as d
        inner join pg_class as c on d.oid = c.oid
        inner join pg_namespace as n on c.relnamespace = n.oid
        group by c.oid, n.nspname
        order by nivel
    loop
        tipo := case objeto.relkind when 'm' then 'materialized view' else 'view' end;
        if objeto.nivel > 0 then
            restaurar := restaurar || format(
                'create %s %s as %s', tipo, objeto.nome, pg_get_viewdef(objeto.oid));
            restaurar := restaurar || array(
                select pg_get_indexdef(indexrelid) from pg_index where indrelid = objeto.oid);
            if objeto.descricao is not null then
                restaurar := restaurar || format(
                    'comment on %s %s is %L', tipo, objeto.nome, objeto.descricao);
            end if;
            restaurar := restaurar || array(
                select format(
                    'comment on column %s.%I is %L', objeto.nome, a.attname, d.description)
                from pg_description as d
                inner join pg_attribute as a on d.objoid = a.attrelid and d.objsubid = a.attnum
                where d.objoid = objeto.oid and d.objsubid > 0);
        end if;
        if objeto.nivel = 0 then
            se_couber := se_couber || array(
                select regexp_replace(pg_get_indexdef(indexrelid), 'INDEX', 'INDEX IF NOT EXISTS')
                from pg_index where indrelid = objeto.oid);
        end if;
        restaurar := restaurar || format('alter %s %s owner to %I', tipo, objeto.nome, objeto.relowner::regrole);
        if objeto.reloptions is not null then
            restaurar := restaurar || format(
                'alter %s %s set (%s)', tipo, objeto.nome, array_to_string(objeto.reloptions, ', '));
        end if;
        restaurar := restaurar || array(
            select format(
                'grant %s on %s to %s%s', a.privilege_type, objeto.nome, g.nome,
                case when a.is_grantable then ' with grant option' end)
            from aclexplode(objeto.relacl) as a
            cross join lateral controle.nome_do_papel(a.grantee) as g (nome)
            where a.grantee <> objeto.relowner);
        se_couber := se_couber || array(
            select format(
                'grant %s (%I) on %s to %s%s', a.privilege_type, c.attname, objeto.nome, g.nome,
                case when a.is_grantable then ' with grant option' end)
            from pg_attribute as c
            cross join lateral aclexplode(c.attacl) as a
            cross join lateral controle.nome_do_papel(a.grantee) as g (nome)
            where c.attrelid = objeto.oid and c.attacl is not null);
    end loop;
    select case relkind when 'm' then 'materialized view' else 'view' end into tipo
    from pg_class where oid = alvo;
    execute format('drop %s %s cascade', tipo, alvo);
    foreach comando in array comandos || restaurar loop
        execute comando;
    end loop;
    foreach comando in array se_couber loop
        begin
            execute comando;
        exception when undefined_column then
            raise warning 'not restored, its column is gone: %', comando;
        end;
    end loop;
end
$f$;
{% endmacro %}

{% macro funcao_cria_visao() %}
drop function if exists controle.cria_visao(text, text);
create or replace function controle.cria_visao(nome text, corpo text, opcoes text default '')
returns void language plpgsql as $f$
begin
    execute format('create or replace view %s %s as %s', nome, opcoes, corpo);
exception when invalid_table_definition or datatype_mismatch then
    perform controle.recria_visao(
        nome::regclass, array[format('create view %s %s as %s', nome, opcoes, corpo)]);
end
$f$;
{% endmacro %}

{# This view's or materialized view's own row of the registry, as a condition. #}
{% macro no_registro() -%}
    esquema = '{{ this.schema }}' and nome = '{{ this.identifier }}'
{%- endmacro %}

{# What a view is, by its SQL and by what PostgreSQL made of it: '' if it is not there. #}
{% macro md5_da_visao(alvo) %}
    {# Without the database's name: a restored copy has the same view. #}
    {% set texto = local_md5(sql | replace('"' ~ this.database ~ '".', '') ~ opcoes_da_visao()) %}
    {{ return(run_query(
        "select coalesce('" ~ texto ~ " ' || md5(pg_get_viewdef(to_regclass('" ~ alvo.include(database=false)
        ~ "'))), '')"
    )[0][0]) }}
{% endmacro %}

{% macro opcoes_da_visao() -%}
    {{ 'with (security_barrier)' if config.get('barreira') }}
{%- endmacro %}

{# The newest change of anything that a materialized view may read. #}
{% macro ultima_mudanca() %}
    {{ return(run_query(
        'select coalesce(greatest((select max(publicada_em) from intel_lead.safra_publicada), '
        "(select max(alterado_em) from controle.dominio)), 'epoch')::text"
    )[0][0]) }}
{% endmacro %}

{# Replaces a view whose SQL is another one now, or that somebody changed. #}
{% macro refaz_visao(alvo) %}
    {% set gravado = run_query('select md5 from controle.visao where ' ~ no_registro()) %}
    {% if flags.FULL_REFRESH or not gravado or gravado[0][0] != md5_da_visao(alvo) %}
        {% call statement('main') %}
            select controle.insiste($insiste$select controle.cria_visao(
                '{{ alvo.include(database=false) }}', $visao${{ sql }}$visao$,
                '{{ opcoes_da_visao() }}')$insiste$)
        {% endcall %}
        {% do executa(
            "insert into controle.visao (esquema, nome, md5) values ('" ~ this.schema ~ "', '" ~ this.identifier
            ~ "', '" ~ md5_da_visao(alvo) ~ "') on conflict (esquema, nome) do update set md5 = excluded.md5"
        ) %}
    {% else %}
        {% call noop_statement('main', 'em dia', 'EM DIA', 0) %}{{ sql }}{% endcall %}
    {% endif %}
{% endmacro %}

{% materialization view, adapter='postgres' %}
    {% set alvo = this.incorporate(type='view') %}
    {% set existia = load_cached_relation(this) %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% set assinatura = assinatura_do_modelo() %}
    {% if esta_intacta([alvo], assinatura) %}
        {% do executa('select 1') %}
        {% call noop_statement('main', 'em dia', 'EM DIA', 0) %}{{ sql }}{% endcall %}
    {% else %}
        {{ refaz_visao(alvo) }}
        {% do apply_grants(alvo, config.get('grants'), should_revoke=should_revoke(existia, false)) %}
        {% do persist_docs(alvo, model) %}
        {% do anota_intacta([alvo], assinatura) %}
    {% endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [alvo]}) }}
{% endmaterialization %}

{% materialization materialized_view, adapter='postgres' %}
    {% set alvo = this.incorporate(type='materialized_view') %}
    {% set nome = alvo.include(database=false) | string %}
    {% set existia = load_cached_relation(this) %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {# Without the database's name: a restored copy has the same view. #}
    {% set md5 = local_md5(sql | replace('"' ~ this.database ~ '".', '') ~ config.get('indexes', [])) %}
    {% set antes = run_query(
        'select sql_md5, dados_ate::text from controle.visao_materializada where ' ~ no_registro()
    ) %}
    {% set mudanca = ultima_mudanca() %}
    {% set criar = ['create materialized view ' ~ nome ~ ' as ' ~ sql] %}
    {% for indice in config.get('indexes', []) %}
        {% do criar.append(
            'create ' ~ ('unique ' if indice.get('unique')) ~ 'index ' ~ this.identifier ~ '_'
            ~ indice.columns | join('_') ~ '_idx on ' ~ nome ~ ' (' ~ indice.columns | join(', ') ~ ')'
            ~ (' nulls not distinct' if indice.get('unique'))
        ) %}
    {% endfor %}

    {% if not existia or flags.EMPTY %}
        {% set acao = 'criada' if not existia else 'mantida' %}
        {% if not existia %}{% do executa(criar | join(';\n')) %}{% endif %}
    {% elif not antes or antes[0][0] != md5 %}
        {% set acao = 'recriada' %}
        {% do executa(
            "select controle.insiste($insiste$select controle.recria_visao('" ~ nome ~ "'::regclass, array[$visao$"
            ~ criar | join('$visao$, $visao$') ~ '$visao$])$insiste$)'
        ) %}
    {% elif antes[0][1] != mudanca %}
        {% set acao = 'atualizada' %}
        {% do executa('refresh materialized view concurrently ' ~ nome) %}
    {% else %}
        {% set acao = 'em dia' %}
    {% endif %}
    {% if acao not in ('em dia', 'mantida') %}
        {% do executa(
            "insert into controle.visao_materializada (esquema, nome, sql_md5, dados_ate) values ('"
            ~ this.schema ~ "', '" ~ this.identifier ~ "', '" ~ md5 ~ "', '" ~ mudanca
            ~ "') on conflict (esquema, nome) do update set "
            'sql_md5 = excluded.sql_md5, dados_ate = excluded.dados_ate'
        ) %}
    {% endif %}

    {% do executa('select 1') %}
    {% call noop_statement('main', acao, acao | upper, 0) %}{{ sql }}{% endcall %}
    {% set assinatura = assinatura_do_modelo() %}
    {% if not esta_intacta([alvo], assinatura) %}
        {% do apply_grants(alvo, config.get('grants'), should_revoke=should_revoke(existia, false)) %}
        {% do persist_docs(alvo, model) %}
        {% do anota_intacta([alvo], assinatura) %}
    {% endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [alvo]}) }}
{% endmaterialization %}
