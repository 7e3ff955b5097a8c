{# Takes a safra, or readings, out of what dbt made. loaders/removal.py calls these in the transaction that takes them out
   of raw: as their owner, because the loader's role may not touch what is published. One try each: the caller tries again. #}

{% macro funcoes_de_remocao() %}
{# All leaves of a safra leave intel_lead, marts and construcao for schema descarte, its rows leave the other tables, and the
   rollups are summed without it: returns the leaves' names. Locks come first, within 0.7 s, given back with the error. #}
create or replace function controle.retira_safra(p_ano integer, p_distribuidora_id integer) returns text[]
language plpgsql security definer set search_path = pg_catalog, pg_temp as $f$
declare
    sufixo text := format('_%s_%s', p_distribuidora_id, p_ano);
    prazo timestamptz;
    folha record;
    alvo record;
    nomes text[] := '{}';
begin
    perform pg_advisory_xact_lock(hashtext('intel_lead.publicacao'));
    delete from controle.safra_construida
    where ano = p_ano and distribuidora_id = p_distribuidora_id;
    delete from controle.safra_reprovada
    where ano = p_ano and distribuidora_id = p_distribuidora_id;
    create temporary table retirada on commit drop as
    select i.inhparent::regclass as raiz, i.inhrelid::regclass as folha, r.relkind = 'p' as publicada
    from pg_inherits as i
    inner join pg_class as r on i.inhparent = r.oid
    inner join pg_class as f on i.inhrelid = f.oid
    where r.relkind in ('p', 'r')
        and r.relnamespace in (
            to_regnamespace('intel_lead'), to_regnamespace('marts'), to_regnamespace('construcao')
        )
        and f.relname = r.relname || sufixo;
    -- Sends an autovacuum away, while readers go on.
    perform set_config('lock_timeout', '1s', true);
    for alvo in select t.folha as nome from retirada as t order by 1 loop
        execute format('lock table only %s in share update exclusive mode', alvo.nome);
    end loop;
    prazo := clock_timestamp() + interval '700 ms';
    for alvo in
        select t.raiz as nome, 'access exclusive' as modo from retirada as t
        union
        select c.confrelid::regclass, 'share row exclusive' from retirada as t
        inner join pg_constraint as c on c.conrelid = t.raiz and c.contype = 'f'
        order by 2, 1
    loop
        perform set_config(
            'lock_timeout',
            greatest(1, extract(milliseconds from prazo - clock_timestamp())::integer)::text,
            true);
        execute format('lock table only %s in %s mode', alvo.nome, alvo.modo);
    end loop;
    perform set_config('lock_timeout', '1s', true);
    for folha in
        select t.raiz, t.folha, t.folha::oid as numero, t.publicada from retirada as t order by t.folha::oid desc
    loop
        if folha.publicada then
            execute format('alter table %s detach partition %s', folha.raiz, folha.folha);
        else
            execute format('alter table %s no inherit %s', folha.folha, folha.raiz);
        end if;
        execute format('alter table %s set schema descarte', folha.folha);
        perform controle.renomeia_descartada(folha.numero::regclass);
        nomes := nomes || format('folha_%s', folha.numero);
    end loop;
    drop table retirada;
    for alvo in
        select c.oid::regclass as nome from pg_class as c
        where c.relkind = 'r' and not c.relispartition and c.relname <> 'import_status'
            and c.relnamespace in (to_regnamespace('intel_lead'), to_regnamespace('marts'))
            and pg_has_role(c.relowner, 'usage')
            -- Open data is of no safra, whatever years it has.
            and not exists (select from controle.inteira as t where t.nome = c.relname)
            and 2 = (
                select count(*) from pg_attribute as a
                where a.attrelid = c.oid and a.attname in ('ano', 'distribuidora_id') and not a.attisdropped
            )
    loop
        execute format('delete from %s where ano = $1 and distribuidora_id = $2', alvo.nome)
        using p_ano, p_distribuidora_id;
    end loop;
    for alvo in
        select c.oid::regclass as nome, case when exists (
            select from pg_index as u where u.indrelid = c.oid and u.indisunique and u.indpred is null
        ) then 'concurrently' else '' end as modo
        from pg_class as c
        where c.relkind = 'm' and c.relispopulated
            and c.relnamespace in (to_regnamespace('intel_lead'), to_regnamespace('marts'))
        order by c.oid
    loop
        execute format('refresh materialized view %s %s', alvo.modo, alvo.nome);
    end loop;
    return nomes;
end
$f$;

{# Drops what retira_safra put aside: one try, in a transaction of its own; else the next build does. #}
create or replace function controle.apaga_retirada(nome text) returns boolean
language sql security definer set search_path = pg_catalog, pg_temp as $f$
    select controle.apaga_descartada(to_regclass(format('descarte.%I', nome)))
$f$;

{# An open domain forgets a code that only the removed safra brought, and what open data say of it: of a code that
   ANEEL does not document that can only be the example's, made up. #}
create or replace function controle.esquece_distribuidora(p_distribuidora_id integer) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $f$
declare
    alvo record;
begin
    if to_regclass('intel_lead.distribuidora') is null then
        return false;
    end if;
    perform set_config('intel_lead.dominio_aberto', 'sim', true);
    for alvo in
        select distinct c.conrelid::regclass as nome, r.relname
        from pg_constraint as c
        inner join pg_class as r on c.conrelid = r.oid and r.relkind = 'r' and not r.relispartition
        inner join intel_lead.distribuidora as d on d.id = p_distribuidora_id and not d.documentado
        where c.contype = 'f' and c.confrelid = to_regclass('intel_lead.distribuidora')
            and r.relnamespace in (to_regnamespace('intel_lead'), to_regnamespace('marts'))
    loop
        execute format('delete from %s where distribuidora_id = $1', alvo.nome) using p_distribuidora_id;
        update controle.inteira set feita_de = '' where nome = alvo.relname;
    end loop;
    delete from intel_lead.distribuidora where id = p_distribuidora_id and not documentado;
    perform set_config('intel_lead.dominio_aberto', '', true);
    return true;
exception when foreign_key_violation or lock_not_available or deadlock_detected then
    return false;
end
$f$;

{# Readings leave with what was made of them; an hour that other readings share is made again by the next build. #}
create or replace function controle.retira_leituras(p_leituras bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $f$
declare
    dispositivos text[];
begin
    if to_regclass('intel_lead.leitura_sensor') is null then
        return;
    end if;
    with apagada as (
        delete from intel_lead.leitura_sensor where leitura_id = any(p_leituras) returning dispositivo_id
    )
    select array_agg(distinct dispositivo_id) into dispositivos from apagada;
    if to_regclass('marts.consumo_dispositivo_hora') is not null then
        delete from marts.consumo_dispositivo_hora as h
        where h.dispositivo_id = any(dispositivos) and not exists (
            select from intel_lead.leitura_sensor as l
            where l.dispositivo_id = h.dispositivo_id
                and l.medido_em >= h.hora and l.medido_em < h.hora + interval '1 hour'
        );
        update marts.consumo_dispositivo_hora set parametros_md5 = ''
        where dispositivo_id = any(dispositivos);
    end if;
    if to_regclass('marts.consumo_dispositivo_dia') is not null then
        delete from marts.consumo_dispositivo_dia as d
        where d.dispositivo_id = any(dispositivos) and not exists (
            select from marts.consumo_dispositivo_hora as h
            where h.dispositivo_id = d.dispositivo_id
                and (h.hora at time zone 'America/Sao_Paulo')::date = d.dia
        );
    end if;
    perform set_config('intel_lead.dominio_aberto', 'sim', true);
    delete from intel_lead.dispositivo as d
    where d.id = any(dispositivos) and not d.documentado and not exists (
        select from intel_lead.leitura_sensor as l where l.dispositivo_id = d.id
    );
    perform set_config('intel_lead.dominio_aberto', '', true);
end
$f$;

do $$
declare
    funcao regprocedure;
begin
    foreach funcao in array array[
        'controle.retira_safra(integer, integer)', 'controle.apaga_retirada(text)',
        'controle.esquece_distribuidora(integer)', 'controle.retira_leituras(bigint[])'
    ]::regprocedure[] loop
        execute format('revoke all on function %s from public', funcao);
        if to_regrole('intel_carga') is not null then
            execute format('grant execute on function %s to intel_carga', funcao);
        end if;
    end loop;
end
$$;
{% endmacro %}
