{# Functions of publication: all of a safra's leaves swapped at once, and what was replaced dropped. Not here: which
   safras are published, and when (publicacao.sql). #}

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
                    'alter table construcao.%I no inherit construcao.%I, reset (autovacuum_enabled)',
                    tabela || sufixo, tabela);
                execute format('alter table construcao.%I set schema safra', tabela || sufixo);
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

{# What the contract gained, a column not null or a check, the published root asks too, once no published leaf is of
   before. Its leaves have it already, so nothing is read. #}
{% macro funcao_exige_na_publicada() %}
create or replace function controle.exige_na_publicada(tabelas text[]) returns void language plpgsql as $f$
declare
    falta text;
begin
    for falta in
        select format('alter table %s alter column %I set not null', controle.raiz_da_safra(t), o.attname)
        from unnest(tabelas) as t
        inner join pg_attribute as o on o.attrelid = format('construcao.%I', t)::regclass and o.attnotnull
        inner join pg_attribute as p
            on p.attrelid = controle.raiz_da_safra(t) and p.attname = o.attname and not p.attnotnull
        where o.attnum > 0 and not exists (
            select from pg_inherits as i
            inner join pg_attribute as f on i.inhrelid = f.attrelid and f.attname = o.attname
            where i.inhparent = p.attrelid and not f.attnotnull
        )
        union all
        select case
            when p.oid is null
                then format('alter table %s add constraint %I %s', raiz, o.conname, pg_get_constraintdef(o.oid))
            else format('alter table %s validate constraint %I', raiz, o.conname)
        end
        from unnest(tabelas) as t
        cross join lateral controle.raiz_da_safra(t) as raiz
        inner join pg_constraint as o on o.conrelid = format('construcao.%I', t)::regclass and o.contype = 'c'
        left join pg_constraint as p on p.conrelid = raiz and p.conname = o.conname and p.contype = 'c'
        where p.convalidated is not true and not exists (
            select from pg_inherits as i
            left join pg_constraint as f on i.inhrelid = f.conrelid and f.conname = o.conname and f.convalidated
            where i.inhparent = raiz and f.oid is null
        )
    loop
        perform controle.insiste(falta);
    end loop;
end
$f$;
{% endmacro %}
