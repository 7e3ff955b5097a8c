-- Where AICSS readings land: the readings as they came and the ledger of landed files.
-- Belongs here: DDL of this source. Not here: rejected rows (schema.sql), typed readings (dbt's).
-- Idempotent; run by `python -m loaders init` and before every landing.

-- The table of before the months (until 2026-11-29) steps aside; its rows move over below, in this transaction.
do $$
begin
    if (select relkind from pg_class where oid = to_regclass('raw.aicss_leitura')) = 'r' then
        alter table raw.aicss_leitura add column if not exists ressalva_horario text
            check (ressalva_horario in ('recuo', 'empate'));
        alter table raw.aicss_leitura set schema raw_safra;
        alter table raw_safra.aicss_leitura rename to aicss_leitura_sem_mes;
    end if;
end
$$;

create table if not exists raw.aicss_leitura (
    leitura_id bigint generated always as identity,
    dispositivo_id text not null,
    medido_em timestamptz not null,
    luz double precision,
    distancia_cm double precision,
    consumo_interno boolean,
    consumo_externo boolean,
    temperatura double precision,
    movimento boolean,
    energia_economizada_kwh double precision,
    outros jsonb,
    fora_da_faixa text[] not null default '{}',
    origem_horario text not null check (origem_horario in ('campo', 'derivado', 'chegada')),
    arquivo text not null,
    linha bigint not null,
    recebido_em timestamptz not null,
    ressalva_horario text check (ressalva_horario in ('recuo', 'empate')),
    unique (dispositivo_id, medido_em)
) partition by range (medido_em);
create index if not exists aicss_leitura_leitura_id_idx on raw.aicss_leitura (leitura_id);

-- Makes the months (first days, of São Paulo's calendar) that readings need; as its owner, for intel_api lands
-- readings and may make no table. ATTACH lets readers and other landings go on, CREATE … PARTITION OF would not.
create or replace function controle.cria_meses_aicss(p_meses date[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $f$
declare
    mes date;
    folha text;
begin
    perform pg_advisory_xact_lock(hashtext('raw.aicss_leitura'));
    foreach mes in array p_meses loop
        folha := format('raw_safra.%I', 'aicss_leitura_' || to_char(mes, 'YYYY_MM'));
        continue when to_regclass(folha) is not null;
        if extract(day from mes) <> 1 or mes not between '2009-12-01' and current_date + 40 then
            raise exception 'não é mês de leituras: %', mes;
        end if;
        execute format(
            'create table %s (like raw.aicss_leitura including defaults including constraints)', folha);
        if to_regrole('intel_dbt') is not null then
            execute format('grant select on %s to intel_dbt', folha);
        end if;
        execute format(
            'alter table raw.aicss_leitura attach partition %s for values from (%L) to (%L)', folha,
            mes::timestamp at time zone 'America/Sao_Paulo',
            (mes + interval '1 month')::timestamp at time zone 'America/Sao_Paulo');
    end loop;
end
$f$;
revoke all on function controle.cria_meses_aicss(date[]) from public;

do $$
declare
    grante record;
    antes bigint;
    depois bigint;
begin
    if to_regclass('raw_safra.aicss_leitura_sem_mes') is null then
        return;
    end if;
    perform controle.cria_meses_aicss(coalesce(array_agg(distinct
        date_trunc('month', medido_em at time zone 'America/Sao_Paulo')::date
    ), '{}')) from raw_safra.aicss_leitura_sem_mes;
    insert into raw.aicss_leitura (
        leitura_id, dispositivo_id, medido_em, luz, distancia_cm, consumo_interno, consumo_externo, temperatura,
        movimento, energia_economizada_kwh, outros, fora_da_faixa, origem_horario, arquivo, linha, recebido_em,
        ressalva_horario
    )
    overriding system value
    select
        leitura_id, dispositivo_id, medido_em, luz, distancia_cm, consumo_interno, consumo_externo, temperatura,
        movimento, energia_economizada_kwh, outros, fora_da_faixa, origem_horario, arquivo, linha, recebido_em,
        ressalva_horario
    from raw_safra.aicss_leitura_sem_mes;
    get diagnostics depois = row_count;
    select count(*) into antes from raw_safra.aicss_leitura_sem_mes;
    if antes <> depois then
        raise exception 'raw.aicss_leitura tinha % leituras e % passaram para os meses', antes, depois;
    end if;
    perform setval(
        pg_get_serial_sequence('raw.aicss_leitura', 'leitura_id'),
        -- The next number of before: those of readings that were taken out are not given again.
        nextval(pg_get_serial_sequence('raw_safra.aicss_leitura_sem_mes', 'leitura_id')), false
    );
    -- Whoever might read or write it still may, and whose it was it is.
    for grante in
        select a.privilege_type, case when a.grantee = 0 then 'public' else quote_ident(r.rolname) end as quem
        from pg_class as c
        cross join aclexplode(c.relacl) as a
        left join pg_roles as r on a.grantee = r.oid
        where c.oid = 'raw_safra.aicss_leitura_sem_mes'::regclass and a.grantee <> c.relowner
    loop
        execute format('grant %s on raw.aicss_leitura to %s', grante.privilege_type, grante.quem);
    end loop;
    for grante in
        select relowner::regrole as quem from pg_class
        where oid = 'raw_safra.aicss_leitura_sem_mes'::regclass and relowner <> current_user::regrole
    loop
        execute format('alter table raw.aicss_leitura owner to %s', grante.quem);
    end loop;
    drop table raw_safra.aicss_leitura_sem_mes;
end
$$;

-- One row per device ever heard; saves dbt a scan of the readings.
create table if not exists raw.aicss_dispositivo (
    dispositivo_id text primary key,
    recebido_em timestamptz not null
);

create table if not exists controle.aicss_arquivo (
    carga_id bigint generated always as identity primary key,
    arquivo text not null,
    sha256 text not null,
    dispositivo text,
    inicio timestamptz,
    formato text not null constraint aicss_arquivo_formato_check check (formato in ('json', 'csv', 'serial', 'mqtt')),
    registros bigint not null,
    leituras bigint not null,
    repetidas bigint not null,
    conflitos bigint not null,
    ilegiveis bigint not null,
    fora_da_faixa bigint not null,
    recebido_em timestamptz not null,
    constraint aicss_arquivo_conta
        check (registros = leituras + repetidas + conflitos + ilegiveis),
    -- Always unique; it is there for its index, which needs no statement (and lock) of its own.
    unique (sha256, carga_id)
);
alter table controle.aicss_arquivo
    add column if not exists ressalvas bigint not null default 0,
    add column if not exists ruido bigint not null default 0;
alter table controle.aicss_arquivo
    drop constraint if exists aicss_arquivo_formato_check,
    add constraint aicss_arquivo_formato_check check (formato in ('json', 'csv', 'serial', 'mqtt'));

-- The last messages that were committed, of each MQTT client: what the broker sends again without the device's own
-- time would be a reading of another instant (loaders/aicss/mqtt.py).
create table if not exists controle.aicss_mqtt_recebida (
    recebida_id bigint generated always as identity primary key,
    cliente text not null,
    mid integer not null,
    md5 uuid not null
);
create index if not exists aicss_mqtt_recebida_cliente_idx on controle.aicss_mqtt_recebida (cliente, mid);
