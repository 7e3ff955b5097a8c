{# Functions of one safra's leaf of one table: where it is, how it is built and completed, how it leaves. Not here: the
   swap that readers see (troca.sql). #}

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
   says which import it was to read. The published leaf's SQL may be older than this one's for that one build.
   In the plural: its nine newest years before this one, so that the cost has an end; spelled out, so that no other
   leaf is opened. #}
{% macro funcoes_da_safra_anterior() %}
create or replace function controle.safras_anteriores(
    p_ano integer, p_distribuidora_id integer, out ano smallint, out import_id bigint
) returns setof record language plpgsql stable as $f$
begin
    if to_regclass('intel_lead.safra_publicada') is not null then
        return query
        select p.ano, p.import_id
        from intel_lead.safra_publicada as p
        where p.distribuidora_id = p_distribuidora_id and p.ano < p_ano
        order by p.ano desc
        limit 9;
    end if;
end
$f$;
create or replace function controle.safra_anterior(
    p_ano integer, p_distribuidora_id integer, out ano integer, out import_id bigint
) returns record language plpgsql stable as $f$
begin
    select a.ano, a.import_id into safra_anterior.ano, safra_anterior.import_id
    from controle.safras_anteriores(p_ano, p_distribuidora_id) as a
    order by a.ano desc
    limit 1;
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
create or replace function controle.folhas_anteriores(
    p_tabela text, p_ano integer, p_distribuidora_id integer
) returns text language sql stable as $f$
    select format(
        '(select * from %s where %s)', controle.raiz_da_safra(p_tabela),
        coalesce(
            string_agg(format('(ano = %s and distribuidora_id = %s)', a.ano, p_distribuidora_id), ' or '), 'false'))
    from controle.safras_anteriores(p_ano, p_distribuidora_id) as a
$f$;
{% endmacro %}

{# What a safra takes of a reference table whose every distributor and year has rows of its own (meta da_safra), and
   what a leaf is made of besides its file: so a changed row is pending in the safras that read it, and in no other. #}
{% macro funcoes_dos_parametros() %}
create or replace function controle.parte_da_safra(
    p_tabela text, p_condicao text, p_ano integer, p_distribuidora_id integer
) returns text language sql immutable as $f$
    select format(
        '(select * from %s where distribuidora_id = %s and %s)', p_tabela, p_distribuidora_id,
        replace(p_condicao, '{ano}', p_ano::text))
$f$;
create or replace function controle.parametros_da_safra(
    p_parametros text, p_raizes jsonb, p_ano integer, p_distribuidora_id integer
) returns text language plpgsql stable as $f$
declare
    anterior record;
    lido text := p_parametros;
    tabela text;
    condicao text;
    parte text;
begin
    if exists (select from jsonb_each_text(p_raizes) where value like 'anterior.%') then
        anterior := controle.safra_anterior(p_ano, p_distribuidora_id);
        lido := concat_ws(' ', lido, anterior.ano, anterior.import_id);
    end if;
    if exists (select from jsonb_each_text(p_raizes) where value like 'anteriores.%') then
        select concat_ws(' ', lido, string_agg(a.ano || ' ' || a.import_id, ' ' order by a.ano)) into lido
        from controle.safras_anteriores(p_ano, p_distribuidora_id) as a;
    end if;
    for tabela, condicao in
        select key, substr(value, length('parte.') + 1) from jsonb_each_text(p_raizes) where value like 'parte.%'
        order by key
    loop
        execute format(
            'select md5(coalesce(string_agg(t::text, chr(32) order by t::text), chr(32))) from %s as t',
            controle.parte_da_safra(tabela, condicao, p_ano, p_distribuidora_id)) into parte;
        lido := concat_ws(' ', lido, parte);
    end loop;
    return lido;
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

{# A leaf made by CREATE TABLE AS gets all that its root's catalogue asks for in one ALTER TABLE (one scan), then the
   root's indexes and statistics, and last its foreign keys; publication's ATTACH adopts everything. Foreign keys to
   domains take a lock there that lets readers go on and that other leaves wait for until this one's commit: in one
   order, so that two builds do not wait for each other.
   It is the root's child by INHERIT: as a partition it took 4 times as long to come and go, because ATTACH and DETACH
   read all of pg_constraint. The CHECK that spells its bounds spares ATTACH a scan; a small leaf is read as fast as
   that CHECK is made. #}
{% macro funcao_completa_folha() %}
drop function if exists controle.completa_folha(text, text, integer, integer, text);
create or replace function controle.completa_folha(
    tabela text, folha text, ano integer, distribuidora_id integer, tabela_pai text, linhas bigint
) returns void language plpgsql as $f$
declare
    raiz regclass := format('construcao.%I', tabela)::regclass;
    partes text;
    chaves text;
    indice text;
begin
    select
        string_agg(parte, ', ' order by ordem, alvo) filter (where ordem <= 3),
        string_agg(parte, ', ' order by ordem, alvo) filter (where ordem > 3)
    into partes, chaves
    from (
        select 1 as ordem, 0::oid as alvo, format('alter %I set not null', attname) as parte
        from pg_attribute
        where attrelid = raiz and attnum > 0 and attnotnull and not attisdropped
        union all
        select 1, 0, format('alter %I set default %s', a.attname, pg_get_expr(d.adbin, d.adrelid))
        from pg_attrdef as d
        inner join pg_attribute as a on d.adrelid = a.attrelid and d.adnum = a.attnum
        where d.adrelid = raiz
        union all
        select 2, 0, format(
            'add constraint %I check (ano = %s and distribuidora_id = %s)',
            folha || '_safra', ano, distribuidora_id)
        where linhas > 20000
        union all
        select 3, 0, format('inherit %s', raiz)
        union all
        select
            case contype when 'c' then 2 when 'f' then 4 else 3 end,
            confrelid,
            case
                -- A foreign key as a backup's restore names it.
                when contype in ('c', 'f')
                    then format('add constraint %I %s', conname, pg_get_constraintdef(oid))
                -- Named: PostgreSQL's own name is cut at 63 bytes, and that of another year's leaf is the same.
                when contype = 'u'
                    then format('add constraint %I %s', folha || '_u' || oid, pg_get_constraintdef(oid))
                else 'add ' || pg_get_constraintdef(oid)
            end
        from pg_constraint
        where conrelid = raiz and contype in ('p', 'u', 'c', 'f')
        union all
        select 5, 0, format(
            'add foreign key (uc_id, ano, distribuidora_id) references %s on delete cascade',
            controle.folha_da_safra(format('%s_%s_%s', tabela_pai, distribuidora_id, ano)))
        where tabela_pai is not null
    ) as p;
    execute format('alter table construcao.%I %s', folha, partes);
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
    if chaves is not null then
        execute format('alter table construcao.%I %s', folha, chaves);
    end if;
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
    -- A leaf lost in a crash is lost with its record, and publication's commit waits for the disk for all before it.
    perform set_config('jit', 'off', true), set_config('enable_memoize', 'off', true),
        set_config('work_mem', '256MB', true), set_config('synchronous_commit', 'off', true);
    -- The longest name first: one may be the beginning of another.
    for raiz, tabela in select * from jsonb_each_text(p_raizes) order by length(key) desc loop
        comando := replace(
            comando, raiz,
            case
                when tabela like 'raw\_safra.%' then tabela || sufixo
                when tabela like 'anterior.%'
                    then controle.folha_anterior(split_part(tabela, '.', 2), p_ano, p_distribuidora_id)
                when tabela like 'anteriores.%'
                    then controle.folhas_anteriores(split_part(tabela, '.', 2), p_ano, p_distribuidora_id)
                when tabela like 'parte.%'
                    then controle.parte_da_safra(raiz, substr(tabela, length('parte.') + 1), p_ano, p_distribuidora_id)
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
        perform controle.completa_folha(p_modelo, folha, p_ano, p_distribuidora_id, p_pai, linhas);
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

{# A distributor that landed and that ANEEL does not document enters the open domain, whichever table with its number
   is built first: leaves, and tables of open data. Before the domain was ever built no table refers to it. #}
{% macro funcao_entra_quem_aterrissou() %}
create or replace function controle.entra_quem_aterrissou() returns void language plpgsql as $f$
begin
    if to_regclass('intel_lead.distribuidora') is not null then
        insert into intel_lead.distribuidora (id, nome, documentado)
        select distinct i.distribuidora_id, 'Distribuidora ' || i.distribuidora_id || ' (não documentada)', false
        from controle.safra_importada as i
        where not exists (select from intel_lead.distribuidora as d where d.id = i.distribuidora_id)
        on conflict (id) do nothing;
    end if;
end
$f$;
{% endmacro %}

{# The leaves of one table, of safras in this order; each in transactions of its own, so that a kill loses one leaf. A
   safra that fails is noted and taken out of construction; the others go on. One call for all: dbt takes 5 to 10 ms for
   each statement, PostgreSQL 20 for a small leaf. *Never within a transaction.* #}
{% macro funcao_constroi_folhas() %}
create or replace procedure controle.constroi_folhas(
    p_modelo text, p_anos integer[], p_distribuidoras integer[], p_imports bigint[], p_md5 text, p_parametros text,
    p_invocacao uuid, p_sql text, p_raizes jsonb, p_pai text, p_dominios text
) language plpgsql as $f$
declare
    feita record;
begin
    perform controle.entra_quem_aterrissou();
    commit;
    for i in 1..cardinality(p_anos) loop
        perform controle.descarta_obra(p_modelo, p_anos[i], p_distribuidoras[i]);
        commit;
        select * into feita from controle.constroi_folha(
            p_modelo, p_anos[i], p_distribuidoras[i], p_imports[i], p_md5, p_parametros, p_invocacao, p_sql, p_raizes,
            p_pai, p_dominios);
        commit;
        if feita.motivo is not null then
            perform controle.reprova_safra(
                p_anos[i], p_distribuidoras[i], p_imports[i], p_md5, p_invocacao, p_modelo, null, null, feita.motivo);
            commit;
        end if;
    end loop;
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
            execute format('alter table construcao.%I no inherit construcao.%I', folha, p_modelo);
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
