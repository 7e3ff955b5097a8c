{# What dbt needs in the database before its first model: private schemas, the record of what is built,
   and the functions that complete, publish and retire leaves. Run at the start of every dbt command. #}

{% macro cria_controle() %}
    {% if not execute or flags.WHICH not in ('build', 'run', 'test', 'seed', 'run-operation') %}
        {{ return('') }}
    {% endif %}
    {% set comando %}
        {# dbt-postgres sets it in a transaction that it has rolled back by now. #}
        {% if target.role %}set role {{ target.role }};{% endif %}
        select pg_advisory_xact_lock(hashtext('intel_lead.controle'));
        create schema if not exists controle;
        create schema if not exists construcao;
        create schema if not exists safra;
        create schema if not exists descarte;
        create schema if not exists seeds;
        create schema if not exists intel_lead;
        create schema if not exists marts;

        {{ confere_versao() }}
        create table if not exists controle.execucao_dbt (
            invocacao uuid primary key,
            comando text not null,
            iniciada_em timestamptz not null default clock_timestamp()
        );
        insert into controle.execucao_dbt (invocacao, comando)
        values ('{{ invocation_id }}', '{{ flags.WHICH }}');

        create table if not exists controle.safra_construida (
            modelo text not null,
            ano smallint not null,
            distribuidora_id integer not null,
            import_id bigint not null,
            sql_md5 text not null,
            invocacao uuid not null,
            linhas bigint not null,
            construida_em timestamptz not null default clock_timestamp(),
            publicada boolean not null default false,
            primary key (modelo, ano, distribuidora_id)
        );
        create table if not exists controle.dominio (
            nome text primary key,
            alterado_em timestamptz not null
        );
        create table if not exists controle.semente (
            nome text primary key,
            sinal text not null
        );
        create table if not exists controle.visao (
            nome text not null,
            md5 text not null,
            esquema text not null,
            primary key (esquema, nome)
        );
        create table if not exists controle.visao_materializada (
            nome text not null,
            sql_md5 text not null,
            dados_ate timestamptz not null,
            esquema text not null,
            primary key (esquema, nome)
        );
        {{ funcao_folha_da_safra() }}
        {{ funcao_completa_folha() }}
        {{ funcao_renomeia_descartada() }}
        {{ funcao_descarta_obra() }}
        {{ funcao_obra_da_safra() }}
        {{ funcao_publica_safra() }}
        {{ funcao_apaga_descartada() }}
        {{ funcao_insiste() }}
        {{ funcao_protege_dominio() }}
        {{ funcao_registra_mudanca() }}
        {{ funcao_audita_dominio() }}
        {{ funcao_recria_visao() }}
        {{ funcao_cria_visao() }}
        {{ migra() }}
    {% endset %}
    {{ return(comando) }}
{% endmacro %}

{# A leaf made by CREATE TABLE AS gets all that its root's catalogue asks for in one ALTER TABLE (one scan),
   then the foreign key to its parent's leaf, the root's indexes and statistics; ATTACH then adopts everything.
   The foreign keys to domains are left to ATTACH, which adds them under a lock that lets readers of the domains
   go on; adopting them would take an exclusive one, behind any long query. #}
{% macro funcao_completa_folha() %}
create or replace function controle.completa_folha(
    tabela text, folha text, ano integer, distribuidora_id integer, tabela_pai text
) returns void language plpgsql as $f$
declare
    raiz regclass := format('construcao.%I', tabela)::regclass;
    partes text;
    indice text;
begin
    select string_agg(parte, ', ' order by ordem) into partes
    from (
        select 1 as ordem, format('alter %I set not null', attname) as parte
        from pg_attribute
        where attrelid = raiz and attnum > 0 and attnotnull and not attisdropped
        union all
        select 1, format('alter %I set default %s', a.attname, pg_get_expr(d.adbin, d.adrelid))
        from pg_attrdef as d
        inner join pg_attribute as a on d.adrelid = a.attrelid and d.adnum = a.attnum
        where d.adrelid = raiz
        union all
        select 2, format(
            'add constraint %I check (ano = %s and distribuidora_id = %s)',
            folha || '_safra', ano, distribuidora_id)
        union all
        select
            case contype when 'c' then 2 else 3 end,
            case
                when contype = 'c'
                    then format('add constraint %I %s', conname, pg_get_constraintdef(oid))
                else 'add ' || pg_get_constraintdef(oid)
            end
        from pg_constraint
        where conrelid = raiz and contype in ('p', 'u', 'c') and conparentid = 0
    ) as p;
    execute format('alter table construcao.%I %s', folha, partes);
    if tabela_pai is not null then
        execute format(
            'alter table construcao.%I add foreign key (uc_id, ano, distribuidora_id) '
            'references %s on delete cascade',
            folha, controle.folha_da_safra(format('%s_%s_%s', tabela_pai, distribuidora_id, ano)));
    end if;
    for indice in
        select regexp_replace(
            pg_get_indexdef(i.indexrelid), '^(CREATE (?:UNIQUE )?INDEX) .* USING ',
            format('\1 ON construcao.%I USING ', folha))
        from pg_index as i
        where i.indrelid = raiz
            and not exists (select from pg_constraint as c where c.conindid = i.indexrelid)
    loop
        execute indice;
    end loop;
    execute format('analyze construcao.%I', folha);
    execute format(
        'alter table construcao.%I attach partition construcao.%I for values from (%s, %s) to (%s, %s)',
        tabela, folha, ano, distribuidora_id, ano, distribuidora_id + 1);
end
$f$;
{% endmacro %}

{# Where a safra's leaf is: under construction, else published. #}
{% macro funcao_folha_da_safra() %}
create or replace function controle.folha_da_safra(folha text) returns text language plpgsql stable as $f$
begin
    if to_regclass(format('construcao.%I', folha)) is not null then
        return format('construcao.%I', folha);
    elsif to_regclass(format('safra.%I', folha)) is not null then
        return format('safra.%I', folha);
    end if;
    raise exception 'leaf % is neither under construction nor published', folha
        using hint = 'Run dbt build without --select once: it builds what this table depends on.';
end
$f$;
{% endmacro %}

{# Swaps one safra's leaves in all rebuilt tables, parents first in `tabelas`. All locks come first, the domain
   tables' too (ATTACH drops redundant triggers there), within 0.7 s a try, and are given back between tries: a
   reader that waits a second for one of them while we wait for one of its own would be ended as a deadlock.
   The old leaves go to schema descarte, because dropping them takes exclusive locks on the domain tables.
   p_obra is what controle.obra_da_safra said when the safra was judged: what another dbt built since is not
   published, however long the locks took. #}
{% macro funcao_publica_safra() %}
drop function if exists controle.publica_safra(integer, integer, bigint, text[], integer);
create or replace function controle.publica_safra(
    p_ano integer, p_distribuidora_id integer, p_import_id bigint, p_obra text, tabelas text[], tentativas integer
) returns integer language plpgsql as $f$
declare
    sufixo text := format('_%s_%s', p_distribuidora_id, p_ano);
    tabela text;
    raizes regclass[];
    folhas regclass[];
    dominios regclass[];
    alvo regclass;
    prazo timestamptz;
    i integer;
    limite text := current_setting('lock_timeout');
begin
    perform pg_advisory_xact_lock(hashtext('intel_lead.publicacao'));
    tabelas := array(
        select t from unnest(tabelas) with ordinality as u (t, ordem)
        where to_regclass(format('construcao.%I', t || sufixo)) is not null
        order by ordem
    );
    select
        coalesce(array_agg(format('intel_lead.%I', t)::regclass), '{}'),
        coalesce(array_agg(f.folha) filter (where f.folha is not null), '{}')
    into raizes, folhas
    from unnest(tabelas) as t
    cross join lateral (select to_regclass(format('safra.%I', t || sufixo)) as folha) as f;
    dominios := array(
        select distinct confrelid::regclass from pg_constraint
        where contype = 'f' and conrelid = any(raizes)
        order by 1
    );
    for tentativa in 1..tentativas loop
        begin
            perform from controle.safra_construida
            where ano = p_ano and distribuidora_id = p_distribuidora_id
            order by modelo
            for update;
            if controle.obra_da_safra(p_ano, p_distribuidora_id) is distinct from p_obra then
                raise exception 'safra %-% was built again by another dbt: what this one tested is not published',
                    p_distribuidora_id, p_ano
                    using errcode = 'object_not_in_prerequisite_state',
                    hint = 'Readers see what they saw before. Run make build.';
            end if;
            if exists (
                select from controle.safra_importada
                where
                    ano = p_ano and distribuidora_id = p_distribuidora_id
                    and import_id = p_import_id and retida
            ) then
                raise exception 'safra %-% is held at the landing gate since it was built',
                    p_distribuidora_id, p_ano
                    using errcode = 'object_not_in_prerequisite_state',
                    hint = 'Readers see what they saw before. python -m loaders status says why.';
            end if;
            -- Sends an autovacuum away, which takes deadlock_timeout (1 s), while readers go on.
            perform set_config('lock_timeout', '1200ms', true);
            foreach alvo in array folhas || dominios loop
                execute format('lock table only %s in share update exclusive mode', alvo);
            end loop;
            prazo := clock_timestamp() + interval '700 ms';
            foreach alvo in array raizes || dominios loop
                perform set_config(
                    'lock_timeout',
                    greatest(1, extract(milliseconds from prazo - clock_timestamp())::integer)::text,
                    true);
                execute format('lock table only %s in access exclusive mode', alvo);
            end loop;
            for i in reverse array_length(tabelas, 1)..1 loop
                tabela := tabelas[i];
                if to_regclass(format('safra.%I', tabela || sufixo)) is not null then
                    execute format(
                        'alter table intel_lead.%I detach partition safra.%I', tabela, tabela || sufixo);
                    execute format('alter table safra.%I set schema descarte', tabela || sufixo);
                    perform controle.renomeia_descartada(format('descarte.%I', tabela || sufixo));
                end if;
            end loop;
            foreach tabela in array tabelas loop
                execute format(
                    'alter table construcao.%I detach partition construcao.%I', tabela, tabela || sufixo);
                execute format('alter table construcao.%I set schema safra', tabela || sufixo);
                execute format('alter table safra.%I reset (autovacuum_enabled)', tabela || sufixo);
                execute format(
                    'alter table intel_lead.%I attach partition safra.%I '
                    'for values from (%s, %s) to (%s, %s)',
                    tabela, tabela || sufixo,
                    p_ano, p_distribuidora_id, p_ano, p_distribuidora_id + 1);
            end loop;
            insert into intel_lead.safra_publicada (ano, distribuidora_id, import_id, publicada_em)
            values (p_ano, p_distribuidora_id, p_import_id, clock_timestamp())
            on conflict (ano, distribuidora_id) do update
            set import_id = excluded.import_id, publicada_em = excluded.publicada_em;
            update controle.safra_construida set publicada = true
            where ano = p_ano and distribuidora_id = p_distribuidora_id;
            perform set_config('lock_timeout', limite, true);
            return tentativa;
        exception when lock_not_available or deadlock_detected then
            perform set_config('lock_timeout', limite, true);
            perform pg_sleep(0.2 + random() * least(tentativa, 5));
        end;
    end loop;
    raise exception 'safra %-% was not published: its tables were in use in % tries',
        p_distribuidora_id, p_ano, tentativas
        using errcode = 'lock_not_available',
        hint = 'End the long queries (pg_stat_activity) and run dbt build again; nothing was lost.';
end
$f$;
{% endmacro %}

{# What is built of a safra, as one word that any new leaf changes. #}
{% macro funcao_obra_da_safra() %}
create or replace function controle.obra_da_safra(p_ano integer, p_distribuidora_id integer) returns text
language sql volatile as $f$
    select 'obra ' || md5(string_agg(
        concat_ws(' ', modelo, import_id, invocacao, extract(epoch from construida_em)), ',' order by modelo))
    from controle.safra_construida
    where ano = p_ano and distribuidora_id = p_distribuidora_id
$f$;
{% endmacro %}

{# Drops a replaced leaf: one try, within 0.7 s for all its locks, of which those on the domain tables would
   keep readers off. Returns whether it is gone. #}
{% macro funcao_apaga_descartada() %}
create or replace function controle.apaga_descartada(folha regclass) returns boolean language plpgsql as $f$
declare
    prazo timestamptz := clock_timestamp() + interval '700 ms';
    alvo regclass;
begin
    if folha is null then
        return true;
    end if;
    for alvo in
        select folha
        union all
        (select distinct confrelid::regclass from pg_constraint
        where contype = 'f' and conrelid = folha
        order by 1)
    loop
        perform set_config(
            'lock_timeout',
            greatest(1, extract(milliseconds from prazo - clock_timestamp())::integer)::text,
            true);
        execute format('lock table only %s in access exclusive mode', alvo);
    end loop;
    execute format('drop table %s cascade', folha);
    return true;
exception
    when lock_not_available or deadlock_detected then
        return false;
    when undefined_table then  -- another dbt was faster
        return true;
end
$f$;
{% endmacro %}

{# DDL that takes exclusive locks on what people read: 0.7 s a try, given back between tries, so that a long
   query delays it and no other reader. #}
{% macro funcao_insiste() %}
create or replace function controle.insiste(comando text, tentativas integer default 120) returns integer
language plpgsql as $f$
declare
    limite text := current_setting('lock_timeout');
begin
    for tentativa in 1..tentativas loop
        begin
            perform set_config('lock_timeout', '700ms', true);
            execute comando;
            perform set_config('lock_timeout', limite, true);
            return tentativa;
        exception when lock_not_available or deadlock_detected then
            perform set_config('lock_timeout', limite, true);
            perform pg_sleep(0.2 + random() * least(tentativa, 5));
        end;
    end loop;
    raise exception 'in use in % tries: %', tentativas, left(comando, 80)
        using errcode = 'lock_not_available',
        hint = 'End the long queries (pg_stat_activity) and run dbt build again; nothing was lost.';
end
$f$;
{% endmacro %}

{# A replaced leaf keeps neither its name nor its indexes' names, so that the next one can follow it. #}
{% macro funcao_renomeia_descartada() %}
create or replace function controle.renomeia_descartada(folha regclass) returns void
language plpgsql as $f$
declare
    indice regclass;
begin
    for indice in select indexrelid from pg_index where indrelid = folha loop
        execute format('alter index %s rename to %I', indice, 'indice_' || indice::oid);
    end loop;
    execute format('alter table %s rename to %I', folha, 'folha_' || folha::oid);
end
$f$;
{% endmacro %}

{# Takes a leaf out of the construction area before it is built anew, and its record with it. In a transaction
   of its own: a drop in the build's would keep every reader off the domain tables until the leaf is done. #}
{% macro funcao_descarta_obra() %}
create or replace function controle.descarta_obra(
    p_modelo text, p_ano integer, p_distribuidora_id integer
) returns void language plpgsql as $f$
declare
    folha text := format('%s_%s_%s', p_modelo, p_distribuidora_id, p_ano);
begin
    if to_regclass(format('construcao.%I', folha)) is null then
        return;
    end if;
    for tentativa in 1..20 loop
        begin
            execute format('alter table construcao.%I detach partition construcao.%I', p_modelo, folha);
            execute format('alter table construcao.%I set schema descarte', folha);
            perform controle.renomeia_descartada(format('descarte.%I', folha));
            delete from controle.safra_construida
            where modelo = p_modelo and ano = p_ano and distribuidora_id = p_distribuidora_id;
            return;
        exception when deadlock_detected then
            perform pg_sleep(random());
        end;
    end loop;
    raise exception 'leaf construcao.% stays: its tables were in use in 20 tries', folha
        using errcode = 'lock_not_available', hint = 'Run dbt build again; nothing was lost.';
end
$f$;
{% endmacro %}

{% macro funcao_protege_dominio() %}
create or replace function controle.protege_dominio() returns trigger language plpgsql as $f$
begin
    if current_setting('intel_lead.dominio_aberto', true) is distinct from 'sim' then
        raise exception 'domain table %.% is protected against %', tg_table_schema, tg_table_name, tg_op
            using errcode = 'insufficient_privilege',
            hint = 'Change the seed and run dbt build; or, in this transaction: '
                'set local intel_lead.dominio_aberto = ''sim''';
    end if;
    return null;
end
$f$;
{% endmacro %}
