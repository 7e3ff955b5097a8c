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
            parametros_md5 text,
            primary key (modelo, ano, distribuidora_id)
        );
        alter table controle.safra_construida add column if not exists parametros_md5 text;
        create table if not exists controle.safra_reprovada (
            ano smallint not null,
            distribuidora_id integer not null,
            import_id bigint not null,
            sql_md5 text not null,
            invocacao uuid not null,
            onde text not null,
            linhas bigint,
            chaves jsonb,
            motivo text not null,
            quando timestamptz not null default clock_timestamp(),
            primary key (ano, distribuidora_id, onde)
        );
        comment on table controle.safra_reprovada is
            'Uma linha por safra × teste ou modelo que falhou nela: não é publicada como está; some quando é.';
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
        {{ funcoes_da_safra_anterior() }}
        {{ funcao_completa_folha() }}
        {{ funcao_constroi_folha() }}
        {{ funcao_reprova_safra() }}
        {{ funcao_reclama_das_reprovadas() }}
        {{ funcao_renomeia_descartada() }}
        {{ funcao_descarta_obra() }}
        {{ funcao_descarta_obras() }}
        {{ funcao_exige_na_publicada() }}
        {{ funcao_obra_da_safra() }}
        {{ funcao_raiz_da_safra() }}
        {{ funcao_publicado() }}
        {{ funcao_publica_safra() }}
        {{ funcao_apaga_descartada() }}
        {{ funcao_insiste() }}
        {{ funcoes_de_remocao() }}
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
                -- Named: PostgreSQL's own name is cut at 63 bytes, and that of another year's leaf is the same.
                when contype = 'u'
                    then format('add constraint %I %s', folha || '_u' || oid, pg_get_constraintdef(oid))
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
            and not exists (select from pg_constraint as c where c.conrelid = raiz and c.conindid = i.indexrelid)
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

{# Builds a safra's leaf of one table, in the caller's transaction: rows, or why this safra cannot be built. What the
   data cause (a value out of range, a broken constraint) is the safra's fault, anything else the caller's error.
   A message of class 22 quotes the value, which may be a person's: it is left out.
   The shared lock: who takes a failed safra out of construction waits for the leaves of it that are being built. #}
{% macro funcao_constroi_folha() %}
drop function if exists controle.constroi_folha(
    text, integer, integer, bigint, text, uuid, text, jsonb, text, text
);
create or replace function controle.constroi_folha(
    p_modelo text, p_ano integer, p_distribuidora_id integer, p_import_id bigint, p_md5 text, p_parametros text,
    p_invocacao uuid, p_sql text, p_raizes jsonb, p_pai text, p_dominios text, out linhas bigint, out motivo text
) language plpgsql as $f$
declare
    sufixo text := format('_%s_%s', p_distribuidora_id, p_ano);
    folha text := p_modelo || sufixo;
    comando text := p_sql;
    raiz text;
    tabela text;
    classe text;
begin
    perform pg_advisory_xact_lock_shared(hashtext('intel_lead.obra'), hashtext(sufixo));
    if exists (
        select from controle.safra_reprovada
        where ano = p_ano and distribuidora_id = p_distribuidora_id and invocacao = p_invocacao
    ) then
        return;
    end if;
    -- Measured on 500 k UCs: JIT and memoize only cost here (lead_resumo_anual 6.4 s with them, 2.7 without).
    perform set_config('jit', 'off', true), set_config('enable_memoize', 'off', true),
        set_config('work_mem', '256MB', true);
    for raiz, tabela in select * from jsonb_each_text(p_raizes) loop
        comando := replace(
            comando, raiz,
            case
                when tabela like 'raw\_safra.%' then tabela || sufixo
                when tabela like 'anterior.%'
                    then controle.folha_anterior(split_part(tabela, '.', 2), p_ano, p_distribuidora_id)
                else controle.folha_da_safra(tabela || sufixo)
            end);
    end loop;
    begin
        if p_dominios is not null then
            execute replace(replace(
                p_dominios, '{sufixo}', sufixo), '{distribuidora_id}', p_distribuidora_id::text);
        end if;
        execute format('create table construcao.%I with (autovacuum_enabled = false) as %s', folha, comando);
        get diagnostics linhas = row_count;
        perform controle.completa_folha(p_modelo, folha, p_ano, p_distribuidora_id, p_pai);
    exception
        when data_exception or integrity_constraint_violation or cardinality_violation or program_limit_exceeded then
            get stacked diagnostics motivo = message_text, classe = returned_sqlstate;
            if classe like '22%' then
                motivo := regexp_replace(motivo, '".*"', '"…"');
            end if;
            linhas := null;
            return;
    end;
    -- The raw leaf stays locked from CREATE TABLE AS on: if the import is still the same, it was all along.
    insert into controle.safra_construida
        (modelo, ano, distribuidora_id, import_id, sql_md5, parametros_md5, invocacao, linhas)
    select
        p_modelo, i.ano, i.distribuidora_id, i.import_id, p_md5,
        controle.parametros_da_safra(p_parametros, p_raizes, p_ano, p_distribuidora_id),
        p_invocacao, constroi_folha.linhas
    from controle.safra_importada as i
    where i.ano = p_ano and i.distribuidora_id = p_distribuidora_id and i.import_id = p_import_id
    on conflict (modelo, ano, distribuidora_id) do update set
        import_id = excluded.import_id, sql_md5 = excluded.sql_md5, parametros_md5 = excluded.parametros_md5,
        invocacao = excluded.invocacao, linhas = excluded.linhas, construida_em = clock_timestamp(), publicada = false;
    if not found then
        raise exception 'safra %-% aterrissou de novo enquanto era construída: repita make build',
            p_distribuidora_id, p_ano
            using errcode = 'object_not_in_prerequisite_state';
    end if;
end
$f$;
{% endmacro %}

{# Notes that a safra failed, and takes what was built of it out of construction, so that the others' tests do not
   meet it; what readers see of it stays as it was. p_onde: the test or table that failed. #}
{% macro funcao_reprova_safra() %}
create or replace function controle.reprova_safra(
    p_ano integer, p_distribuidora_id integer, p_import_id bigint, p_md5 text, p_invocacao uuid,
    p_onde text, p_linhas bigint, p_chaves jsonb, p_motivo text
) returns void language plpgsql as $f$
declare
    sufixo text := format('_%s_%s', p_distribuidora_id, p_ano);
    tabela text;
begin
    perform pg_advisory_xact_lock(hashtext('intel_lead.obra'), hashtext(sufixo));
    delete from controle.safra_reprovada
    where
        ano = p_ano and distribuidora_id = p_distribuidora_id
        and (import_id, sql_md5) is distinct from (p_import_id, p_md5);
    insert into controle.safra_reprovada
        (ano, distribuidora_id, import_id, sql_md5, invocacao, onde, linhas, chaves, motivo)
    values
        (p_ano, p_distribuidora_id, p_import_id, p_md5, p_invocacao, p_onde, p_linhas, p_chaves, p_motivo)
    on conflict (ano, distribuidora_id, onde) do update set
        invocacao = excluded.invocacao, linhas = excluded.linhas, chaves = excluded.chaves,
        motivo = excluded.motivo, quando = clock_timestamp();
    for tabela in
        select relname from pg_class
        where relnamespace = 'construcao'::regnamespace and relkind = 'p'
        order by relname
    loop
        perform controle.descarta_obra(tabela, p_ano, p_distribuidora_id);
    end loop;
end
$f$;
{% endmacro %}

{% macro funcao_reclama_das_reprovadas() %}
create or replace function controle.reclama_das_reprovadas(p_invocacao uuid) returns void language plpgsql as $f$
declare
    quais text := (
        select string_agg(format('%s-%s (%s: %s)', distribuidora_id, ano, onde, motivo), '; ' order by ano, onde)
        from controle.safra_reprovada where invocacao = p_invocacao
    );
begin
    if quais is not null then
        raise exception 'não publicadas, por erro nos dados: %', quais
            using hint = 'As outras foram publicadas. Carregue um arquivo melhor, ou corrija o modelo.';
    end if;
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
    raise exception 'a folha % não está em construção nem publicada', folha
        using errcode = 'undefined_table', hint = 'Rode dbt build uma vez sem --select: ele constrói aquilo de que esta tabela depende.';
end
$f$;
{% endmacro %}

{# The distributor's greatest published year before this one, and what a model makes of it. Never one that is under
   construction: nothing is published that reads what no test has judged. So two safras of one distributor that are
   built together know nothing of each other until the next build, when the later one is pending: parametros_da_safra
   says which import it was to read. The published leaf's SQL may be older than this one's for that one build. #}
{% macro funcoes_da_safra_anterior() %}
create or replace function controle.safra_anterior(
    p_ano integer, p_distribuidora_id integer, out ano integer, out import_id bigint
) returns record language plpgsql stable as $f$
begin
    if to_regclass('intel_lead.safra_publicada') is not null then
        select p.ano, p.import_id into safra_anterior.ano, safra_anterior.import_id
        from intel_lead.safra_publicada as p
        where p.distribuidora_id = p_distribuidora_id and p.ano < p_ano
        order by p.ano desc
        limit 1;
    end if;
end
$f$;
create or replace function controle.folha_anterior(
    p_tabela text, p_ano integer, p_distribuidora_id integer
) returns text language plpgsql stable as $f$
declare
    folha text := format(
        'safra.%I', format('%s_%s_%s', p_tabela, p_distribuidora_id,
            (select a.ano from controle.safra_anterior(p_ano, p_distribuidora_id) as a)));
begin
    if to_regclass(folha) is not null then
        return folha;
    end if;
    return format('(select * from construcao.%I where false)', p_tabela);
end
$f$;
create or replace function controle.parametros_da_safra(
    p_parametros text, p_raizes jsonb, p_ano integer, p_distribuidora_id integer
) returns text language plpgsql stable as $f$
declare
    anterior record;
begin
    if exists (select from jsonb_each_text(p_raizes) where value like 'anterior.%') then
        anterior := controle.safra_anterior(p_ano, p_distribuidora_id);
        return concat_ws(' ', p_parametros, anterior.ano, anterior.import_id);
    end if;
    return p_parametros;
end
$f$;
{% endmacro %}

{# The published root of a safra model's table: in intel_lead, or in marts. Leaves of both share their schemas, so a
   name is one table's. #}
{% macro funcao_raiz_da_safra() %}
create or replace function controle.raiz_da_safra(tabela text) returns regclass language plpgsql stable as $f$
declare
    raiz regclass;
begin
    select c.oid::regclass into strict raiz
    from pg_class as c
    where
        c.relname = tabela and c.relkind = 'p'
        and c.relnamespace in ('intel_lead'::regnamespace, 'marts'::regnamespace);
    return raiz;
end
$f$;
{% endmacro %}

{# Rows of a safra's published leaf: what a table that is being built may compare itself with. The two numbers stand
   in the query, so that it reads that leaf alone, however many others there are. #}
{% macro funcao_publicado() %}
create or replace function controle.publicado(
    tabela text, colunas text, p_ano integer, p_distribuidora_id integer
) returns setof jsonb language plpgsql stable as $f$
begin
    return query execute format(
        'select to_jsonb(t) from (select %s from %s where ano = %s and distribuidora_id = %s) as t',
        colunas, controle.raiz_da_safra(tabela), p_ano, p_distribuidora_id);
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
        coalesce(array_agg(controle.raiz_da_safra(t) order by ordem), '{}'),
        coalesce(array_agg(f.folha) filter (where f.folha is not null), '{}')
    into raizes, folhas
    from unnest(tabelas) with ordinality as u (t, ordem)
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
                raise exception 'safra %-% foi construída por outro dbt: o que este testou não é publicado',
                    p_distribuidora_id, p_ano
                    using errcode = 'object_not_in_prerequisite_state',
                    hint = 'Os leitores veem o que viam. Rode make build.';
            end if;
            if exists (
                select from controle.safra_importada
                where
                    ano = p_ano and distribuidora_id = p_distribuidora_id
                    and import_id = p_import_id and retida
            ) then
                raise exception 'safra %-% foi retida no portão depois de construída',
                    p_distribuidora_id, p_ano
                    using errcode = 'object_not_in_prerequisite_state',
                    hint = 'Os leitores veem o que viam. make status diz por quê.';
            end if;
            if not exists (
                select from controle.veredito
                where
                    ano = p_ano and distribuidora_id = p_distribuidora_id
                    and import_id = p_import_id and aprovada
            ) then
                raise exception 'safra %-%: o portão não aprovou a importação %',
                    p_distribuidora_id, p_ano, p_import_id
                    using errcode = 'object_not_in_prerequisite_state',
                    hint = 'Os leitores veem o que viam antes. Rode make build.';
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
                    execute format('alter table %s detach partition safra.%I', raizes[i], tabela || sufixo);
                    execute format('alter table safra.%I set schema descarte', tabela || sufixo);
                    perform controle.renomeia_descartada(format('descarte.%I', tabela || sufixo));
                end if;
            end loop;
            for i in 1..coalesce(array_length(tabelas, 1), 0) loop
                tabela := tabelas[i];
                execute format(
                    'alter table construcao.%I detach partition construcao.%I', tabela, tabela || sufixo);
                execute format('alter table construcao.%I set schema safra', tabela || sufixo);
                execute format('alter table safra.%I reset (autovacuum_enabled)', tabela || sufixo);
                execute format(
                    'alter table %s attach partition safra.%I '
                    'for values from (%s, %s) to (%s, %s)',
                    raizes[i], tabela || sufixo,
                    p_ano, p_distribuidora_id, p_ano, p_distribuidora_id + 1);
            end loop;
            insert into intel_lead.safra_publicada (ano, distribuidora_id, import_id, publicada_em)
            values (p_ano, p_distribuidora_id, p_import_id, clock_timestamp())
            on conflict (ano, distribuidora_id) do update
            set import_id = excluded.import_id, publicada_em = excluded.publicada_em;
            update controle.safra_construida set publicada = true
            where ano = p_ano and distribuidora_id = p_distribuidora_id;
            delete from controle.safra_reprovada where ano = p_ano and distribuidora_id = p_distribuidora_id;
            perform set_config('lock_timeout', limite, true);
            return tentativa;
        exception when lock_not_available or deadlock_detected then
            perform set_config('lock_timeout', limite, true);
            perform pg_sleep(0.2 + random() * least(tentativa, 5));
        end;
    end loop;
    raise exception 'safra %-% não foi publicada: suas tabelas estavam em uso em % tentativas',
        p_distribuidora_id, p_ano, tentativas
        using errcode = 'lock_not_available',
        hint = 'Encerre as consultas longas (pg_stat_activity) e repita make build; nada se perdeu.';
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
    raise exception 'em uso em % tentativas: %', tentativas, left(comando, 80)
        using errcode = 'lock_not_available',
        hint = 'Encerre as consultas longas (pg_stat_activity) e repita make build; nada se perdeu.';
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
    raise exception 'a folha construcao.% fica: suas tabelas estavam em uso em 20 tentativas', folha
        using errcode = 'lock_not_available', hint = 'Repita make build; nada se perdeu.';
end
$f$;
{% endmacro %}

{# All leaves of a table that are under construction. #}
{% macro funcao_descarta_obras() %}
create or replace function controle.descarta_obras(p_modelo text) returns void language plpgsql as $f$
begin
    perform controle.descarta_obra(p_modelo, ano, distribuidora_id)
    from controle.safra_construida
    where modelo = p_modelo and not publicada;
end
$f$;
{% endmacro %}

{# A column that a table gained is not null in the published root too, once no published leaf is of before. #}
{% macro funcao_exige_na_publicada() %}
create or replace function controle.exige_na_publicada(tabelas text[]) returns void language plpgsql as $f$
declare
    falta record;
begin
    for falta in
        select controle.raiz_da_safra(t) as raiz, o.attname as coluna
        from unnest(tabelas) as t
        inner join pg_attribute as o on o.attrelid = format('construcao.%I', t)::regclass and o.attnotnull
        inner join pg_attribute as p
            on p.attrelid = controle.raiz_da_safra(t) and p.attname = o.attname and not p.attnotnull
        where o.attnum > 0 and not exists (
            select from pg_inherits as i
            inner join pg_attribute as f on i.inhrelid = f.attrelid and f.attname = o.attname
            where i.inhparent = p.attrelid and not f.attnotnull
        )
    loop
        perform controle.insiste(
            format('alter table %s alter column %I set not null', falta.raiz, falta.coluna));
    end loop;
end
$f$;
{% endmacro %}

{% macro funcao_protege_dominio() %}
create or replace function controle.protege_dominio() returns trigger language plpgsql as $f$
begin
    if current_setting('intel_lead.dominio_aberto', true) is distinct from 'sim' then
        raise exception 'a tabela de domínio %.% é protegida contra %', tg_table_schema, tg_table_name, tg_op
            using errcode = 'insufficient_privilege',
            hint = 'Mude a semente e rode make build; ou, nesta transação: '
                'set local intel_lead.dominio_aberto = ''sim''';
    end if;
    return null;
end
$f$;
{% endmacro %}
