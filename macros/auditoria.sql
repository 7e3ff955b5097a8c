{# Changes of domain tables, written to controle.auditoria. Belongs here: the triggers. Not here: the guard that
   refuses changes (controle.protege_dominio). #}

{# Counts what really changed, and keeps the first twenty rows of it; nothing changed, nothing written. #}
{% macro funcao_registra_mudanca() %}
create or replace function controle.registra_mudanca() returns trigger language plpgsql as $f$
declare
    mudou jsonb;
begin
    if tg_op = 'INSERT' then
        select jsonb_build_object('linhas', count(*), 'depois', jsonb_agg(n.linha) filter (where n.ordem <= 20))
        into mudou
        from (select to_jsonb(t) as linha, row_number() over () as ordem from novas as t) as n;
    elsif tg_op = 'DELETE' then
        select jsonb_build_object('linhas', count(*), 'antes', jsonb_agg(a.linha) filter (where a.ordem <= 20))
        into mudou
        from (select to_jsonb(t) as linha, row_number() over () as ordem from antigas as t) as a;
    elsif tg_op = 'UPDATE' then
        with depois as (
            select to_jsonb(t) as linha from novas as t
            except
            select to_jsonb(t) from antigas as t
        ),

        antes as (
            select to_jsonb(t) as linha from antigas as t
            except
            select to_jsonb(t) from novas as t
        )

        select jsonb_build_object(
            'linhas', (select count(*) from depois),
            'antes', (select jsonb_agg(x.linha) from (select * from antes order by linha limit 20) as x),
            'depois', (select jsonb_agg(x.linha) from (select * from depois order by linha limit 20) as x))
        into mudou;
    end if;
    if tg_op = 'TRUNCATE' or (mudou ->> 'linhas')::bigint > 0 then
        insert into controle.auditoria (acao, objeto, detalhes)
        values (
            lower(tg_op), format('%s.%s', tg_table_schema, tg_table_name),
            coalesce(mudou, '{}') || jsonb_build_object('programa', current_setting('application_name')));
    end if;
    return null;
end
$f$;
{% endmacro %}

{# A trigger with transition tables serves one event only: hence four. #}
{% macro funcao_audita_dominio() %}
create or replace function controle.audita_dominio(tabela regclass) returns void language plpgsql as $f$
declare
    evento text;
    vistas text;
begin
    for evento, vistas in values
        ('insert', 'referencing new table as novas'),
        ('update', 'referencing old table as antigas new table as novas'),
        ('delete', 'referencing old table as antigas'),
        ('truncate', '')
    loop
        if not exists (
            select from pg_trigger where tgrelid = tabela and tgname = 'audita_' || evento
        ) then
            execute format(
                'create trigger audita_%s after %1$s on %s %s for each statement '
                'execute function controle.registra_mudanca()', evento, tabela, vistas);
        end if;
    end loop;
end
$f$;
{% endmacro %}
