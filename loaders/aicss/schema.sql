-- Where AICSS readings land: the readings as they came and the ledger of landed files.
-- Belongs here: DDL of this source. Not here: rejected rows (schema.sql), typed readings (dbt's).
-- Idempotent; run by `python -m loaders init` and before every landing.

create table if not exists raw.aicss_leitura (
    leitura_id bigint generated always as identity primary key,
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
    unique (dispositivo_id, medido_em)
);
alter table raw.aicss_leitura add column if not exists ressalva_horario text
    check (ressalva_horario in ('recuo', 'empate'));

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
    formato text not null check (formato in ('json', 'csv', 'serial')),
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
