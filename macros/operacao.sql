{# What the warehouse keeps of its own work (marts.mart_operacao). Belongs here: what a dbt command did, node by node.
   Not here: what is built and published (controle.sql), landings (the loaders' ledger), calls of the API (app). #}

{# At the end of every dbt command that builds or tests: its nodes, in one statement; older than 400 days go. #}
{% macro registra_execucao(resultados) %}
    {% if execute and flags.WHICH in ('build', 'run', 'test') and resultados %}
        {% set linhas = [] %}
        {% for r in resultados if r.node.resource_type in ('model', 'seed', 'test') %}
            {% set afetadas = (r.adapter_response or {}).get('rows_affected') %}
            {% do linhas.append(
                "('" ~ invocation_id ~ "'::uuid, '" ~ r.node.resource_type ~ "', '" ~ r.node.name ~ "', '"
                ~ r.status ~ "', " ~ r.execution_time ~ ', '
                ~ (afetadas if afetadas is number and afetadas >= 0 else 'null::bigint') ~ ')'
            ) %}
        {% endfor %}
        {% if linhas %}
            {{ return(
                "insert into controle.execucao_no (invocacao, tipo, no, situacao, segundos, linhas, terminado_em)"
                ~ " select v.*, clock_timestamp() from (values " ~ linhas | join(', ')
                ~ ") as v (invocacao, tipo, no, situacao, segundos, linhas);"
                ~ " delete from controle.execucao_no where terminado_em < now() - interval '400 days'"
            ) }}
        {% endif %}
    {% endif %}
    {{ return('select 1') }}
{% endmacro %}

{# Readers' queries of each view of marts, as pg_stat_statements counted them; no rows where it is not there, or
   where the owner may not read it (pg_read_all_stats). Builds are the owner's own queries, and are left out. #}
{% macro funcao_visoes_lidas() %}
    create or replace function controle.visoes_lidas()
    returns table (desde date, visao text, consultas bigint, segundos double precision)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $f$
    declare
        esquema text := (
            select n.nspname from pg_extension as e inner join pg_namespace as n on e.extnamespace = n.oid
            where e.extname = 'pg_stat_statements'
        );
    begin
        if esquema is null then
            return;
        end if;
        return query execute format($q$
            select
                (i.stats_reset at time zone 'America/Sao_Paulo')::date,
                l.visao,
                sum(s.calls)::bigint,
                sum(s.total_exec_time) / 1000
            from %1$I.pg_stat_statements as s
            cross join %1$I.pg_stat_statements_info as i
            cross join lateral (
                select distinct v[1] as visao
                from regexp_matches(s.query, '\mmarts"?\."?(\w+)', 'g') as v
            ) as l
            where
                s.dbid = (select oid from pg_database where datname = current_database())
                and not pg_has_role(s.userid, current_user, 'member')
                and s.query ~* '^\s*(select|with|copy|declare)'
            group by 1, 2
        $q$, esquema);
    exception
        -- The library is not loaded (shared_preload_libraries).
        when object_not_in_prerequisite_state then return;
    end $f$;

    {# Made once: to replace it would wait for whoever reads mart_operacao (law 5). #}
    do $d$ begin
        if to_regclass('controle.visao_lida') is null then
            create view controle.visao_lida as select * from controle.visoes_lidas();
        end if;
    end $d$;
{% endmacro %}
