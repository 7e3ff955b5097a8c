-- What the loader needs before its first row: schemas, enums, the import ledger, rejected rows.
-- Belongs here: DDL that exists before dbt runs. Not here: intel_lead's tables and views (dbt's).
-- Idempotent; run by `python -m loaders init` and before every load. The raw layer tables come from bdgd/layers.py.

create schema if not exists raw;
create schema if not exists raw_safra;
create schema if not exists controle;
create schema if not exists intel_lead;

do $$
begin
    create type intel_lead.camada_enum as enum ('UCAT', 'UCMT', 'UCBT', 'PONNOT', 'CONJ');
exception when duplicate_object then null;
end $$;
-- The other layers join the enum from bdgd/layers.py (bdgd/leaves.py).
do $$
begin
    create type intel_lead.origem_enum as enum ('UCAT', 'UCMT', 'UCBT');
exception when duplicate_object then null;
end $$;
do $$
begin
    create type intel_lead.status_enum as enum ('pending', 'running', 'completed', 'failed');
exception when duplicate_object then null;
end $$;
do $$
begin
    create type intel_lead.resultado_enum as enum ('success', 'partial', 'failed');
exception when duplicate_object then null;
end $$;

create table if not exists intel_lead.import_status (
    import_id bigint generated always as identity primary key,
    distribuidora_id integer,
    ano smallint,
    camada intel_lead.camada_enum,
    status intel_lead.status_enum not null default 'pending',
    arquivo text not null,
    sha256 text,
    linhas_processadas bigint not null default 0 check (linhas_processadas >= 0),
    linhas_rejeitadas bigint not null default 0 check (linhas_rejeitadas >= 0),
    data_inicio timestamptz not null default clock_timestamp(),
    data_fim timestamptz,
    observacoes text,
    erro text,
    constraint import_status_fim check ((data_fim is null) = (status in ('pending', 'running'))),
    constraint import_status_erro check (status <> 'failed' or erro is not null)
);
alter table intel_lead.import_status add column if not exists removida_em timestamptz;
create index if not exists import_status_safra_idx
    on intel_lead.import_status (ano, distribuidora_id, camada);
create index if not exists import_status_sha256_idx on intel_lead.import_status (sha256);

-- One row per safra that is landed; import_id grows with every landing, which is how dbt sees a change.
create table if not exists controle.safra_importada (
    ano smallint not null,
    distribuidora_id integer not null,
    import_id bigint not null,
    data_base date not null,
    importada_em timestamptz not null default clock_timestamp(),
    retida boolean not null default false,
    motivo_retencao text,
    primary key (ano, distribuidora_id)
);
alter table controle.safra_importada add column if not exists retida boolean not null default false;
alter table controle.safra_importada add column if not exists motivo_retencao text;
-- What holds it, one object per finding (loaders/gate/evidence.py): what a release names.
alter table controle.safra_importada add column if not exists achados jsonb not null default '[]';

-- What each safra's delivery measured: the accepted one, which the next is compared with, and beside it the held one.
create table if not exists controle.entrega (
    ano smallint not null,
    distribuidora_id integer not null,
    camada text not null,
    import_id bigint not null,
    completa boolean not null,
    linhas bigint not null,
    energia_kwh double precision not null,
    aceita boolean not null default true,
    primary key (distribuidora_id, ano, camada, aceita)
);
-- Whether the file has the layer at all, even without a row.
alter table controle.entrega add column if not exists presente boolean not null default true;
-- Whether a person said that this copy of the file lacks it (--sem-camada).
alter table controle.entrega add column if not exists ausencia_declarada boolean not null default false;

-- Until the version of 2026-11-21: what a delivery replaced; the content itself waits now, in raw_safra.*__aceita.
drop table if exists controle.entrega_anterior;

-- What the whole gate (comparison and expectations) said of each import; without it nothing is published.
do $$
begin
    if to_regclass('controle.veredito') is null then
        create table if not exists controle.veredito (
            ano smallint not null,
            distribuidora_id integer not null,
            import_id bigint not null,
            aprovada boolean not null,
            achados jsonb not null default '[]',
            julgada_em timestamptz not null default clock_timestamp(),
            primary key (ano, distribuidora_id, import_id)
        );
        -- What was published before verdicts were kept stays published, and may be built again.
        if to_regclass('intel_lead.safra_publicada') is not null then
            insert into controle.veredito (ano, distribuidora_id, import_id, aprovada)
            select ano, distribuidora_id, import_id, true from intel_lead.safra_publicada;
        end if;
    end if;
end
$$;

-- A person's release of a held import: of these findings and no other; in force while that import is what is landed.
create table if not exists controle.liberacao (
    id bigint generated always as identity primary key,
    ano smallint not null,
    distribuidora_id integer not null,
    import_id bigint not null,
    achados text[] not null,
    motivo text not null,
    quem text not null default session_user,
    usuario_so text,
    liberada_em timestamptz not null default clock_timestamp()
);
create index if not exists liberacao_safra_idx on controle.liberacao (ano, distribuidora_id);

create table if not exists intel_lead.qualidade_validacao (
    distribuidora_id integer not null,
    ano smallint not null,
    import_id bigint not null,
    camada text not null,
    expectativa text not null,
    coluna text not null,
    severidade text not null check (severidade in ('estrutura', 'plausibilidade')),
    sucesso boolean not null,
    descricao text not null,
    inesperados bigint,
    total bigint,
    observado jsonb not null,
    executada_em timestamptz not null default clock_timestamp(),
    primary key (distribuidora_id, ano, import_id, camada, expectativa, coluna)
);
comment on table intel_lead.qualidade_validacao is
    'Uma linha por safra × importação × camada × expectativa × coluna: o que o portão de entrada viu nos dados brutos. estrutura retém a safra, plausibilidade avisa.';
comment on column intel_lead.qualidade_validacao.distribuidora_id is 'Código ANEEL da distribuidora.';
comment on column intel_lead.qualidade_validacao.ano is 'Ano da safra.';
comment on column intel_lead.qualidade_validacao.import_id is 'A importação que foi julgada.';
comment on column intel_lead.qualidade_validacao.camada is 'Camada da BDGD, com o nome que a ANEEL lhe dá: UCBT, PONNOT, CRVCRG…';
comment on column intel_lead.qualidade_validacao.expectativa is 'Nome da regra.';
comment on column intel_lead.qualidade_validacao.coluna is 'Coluna julgada; vazia se a regra é da camada inteira.';
comment on column intel_lead.qualidade_validacao.severidade is 'estrutura (retém a safra) ou plausibilidade (avisa).';
comment on column intel_lead.qualidade_validacao.sucesso is 'Se a regra se cumpriu.';
comment on column intel_lead.qualidade_validacao.descricao is 'O que a regra afirma.';
comment on column intel_lead.qualidade_validacao.inesperados is 'Linhas que não a cumprem, quando a regra conta linhas.';
comment on column intel_lead.qualidade_validacao.total is 'Linhas da camada.';
comment on column intel_lead.qualidade_validacao.observado is 'O valor observado; só agregados, nenhum valor de linha.';
comment on column intel_lead.qualidade_validacao.executada_em is 'Quando a regra foi avaliada.';

-- What the landed rows of an import add up to, per monthly column: summed by the loader in Arrow (fonte
-- 'aterrissagem') or, for imports from before this table, once over raw. dbt's conservation tests read it.
create table if not exists controle.carga_soma (
    ano smallint not null,
    distribuidora_id integer not null,
    camada text not null,
    import_id bigint not null,
    serie text not null,
    mes smallint not null check (mes between 1 and 12),
    linhas bigint not null,
    soma double precision not null,
    maximo double precision,
    fonte text not null check (fonte in ('aterrissagem', 'raw')),
    primary key (ano, distribuidora_id, camada, import_id, serie, mes)
);

-- Who overrode what, when and why; and every change of a domain table (macros/auditoria.sql).
create table if not exists controle.auditoria (
    id bigint generated always as identity primary key,
    quando timestamptz not null default clock_timestamp(),
    quem text not null default session_user,
    usuario_so text,
    acao text not null,
    objeto text not null,
    detalhes jsonb not null default '{}'
);
-- Once: `make roles` gives both to the database's owner, and who lands is refused "or replace".
do $$
begin
    if to_regproc('controle.recusa_mudanca_da_auditoria') is null then
        create function controle.recusa_mudanca_da_auditoria() returns trigger language plpgsql as $f$
        begin
            raise exception 'controle.auditoria só cresce: % não se aceita', lower(tg_op)
                using errcode = 'insufficient_privilege';
        end
        $f$;
        create trigger so_cresce before update or delete or truncate on controle.auditoria
        for each statement execute function controle.recusa_mudanca_da_auditoria();
    end if;
end
$$;

create table if not exists raw.rejeitado (
    import_id bigint,
    ano smallint,
    distribuidora_id integer,
    origem text not null,
    arquivo text not null,
    linha bigint not null,
    motivo text not null,
    registro jsonb not null,
    rejeitado_em timestamptz not null default clock_timestamp()
);
create index if not exists rejeitado_safra_idx on raw.rejeitado (ano, distribuidora_id, origem);

-- IBGE's mesh (loaders/ibge): a município's polygon, WKB in degrees SIRGAS 2000, of the newest file that has it.
create table if not exists raw.malha_municipio (
    codigo integer primary key,
    malha_id bigint not null,
    geom bytea not null
);
-- All of them again, simplified together for maps from afar (loaders/ibge/simplify.py), EPSG:3857, from that zoom on.
create table if not exists raw.malha_simplificada (
    codigo integer not null,
    zoom_minimo smallint not null,
    malha_id bigint not null,
    geom bytea not null,
    primary key (codigo, zoom_minimo)
);
do $$
begin
    if to_regrole('intel_dbt') is not null then
        grant select on raw.malha_municipio, raw.malha_simplificada to intel_dbt;
    end if;
end
$$;
create table if not exists controle.malha_arquivo (
    malha_id bigint generated always as identity primary key,
    arquivo text not null,
    sha256 text not null,
    feicoes bigint not null,
    municipios bigint not null,
    rejeitadas bigint not null,
    recebido_em timestamptz not null default clock_timestamp(),
    constraint malha_arquivo_conta check (feicoes = municipios + rejeitadas)
);

-- Files of open data (loaders/open_data); anos is year → landed rows, "" where a file replaces the whole dataset.
create table if not exists controle.aberto_arquivo (
    arquivo_id bigint generated always as identity primary key,
    conjunto text not null,
    arquivo text not null,
    url text,
    sha256 text not null,
    last_modified text,
    anos jsonb not null default '{}',
    linhas bigint not null,
    rejeitadas bigint not null,
    aterrissado_em timestamptz not null default clock_timestamp(),
    inventado boolean not null default false,
    observacoes text
);
create index if not exists aberto_arquivo_conjunto_idx on controle.aberto_arquivo (conjunto, arquivo_id desc);

-- Forecasts and how well each model did (forecasting/publish.py), of a distributor whole; dbt shows them. What no
-- forecast may be is refused here: no write of a distributor goes through with such a row.
create table if not exists raw.previsao_energia (
    distribuidora_id integer not null,
    ano smallint not null,
    nivel text not null check (nivel in ('distribuidora', 'municipio_classe', 'conjunto', 'segmento')),
    serie_id text not null,
    competencia date not null check (extract(day from competencia) = 1),
    media double precision,
    inferior_80 double precision,
    superior_80 double precision,
    inferior_95 double precision,
    superior_95 double precision,
    modelo text not null,
    treinado_ate date not null,
    suprimido boolean not null,
    primary key (distribuidora_id, nivel, serie_id, competencia),
    constraint previsao_faixas check (
        num_nulls(media, inferior_80, superior_80, inferior_95, superior_95) in (0, 5)
        and 0 <= inferior_95 and inferior_95 <= inferior_80 and inferior_80 <= media
        and media <= superior_80 and superior_80 <= superior_95 and superior_95 < 'infinity'
    ),
    constraint previsao_depois_do_treino check (
        competencia > treinado_ate and competencia <= treinado_ate + interval '36 months'
        and extract(year from treinado_ate) = ano
    )
);
create table if not exists raw.previsao_desempenho (
    distribuidora_id integer not null,
    ano smallint not null,
    nivel text not null,
    serie_id text not null,
    modelo text not null,
    meses_testados integer not null check (meses_testados >= 0),
    mae double precision check (mae >= 0),
    mape double precision check (mape >= 0),
    mase double precision check (mase >= 0),
    smape double precision check (smape >= 0),
    cobertura_80 double precision check (cobertura_80 between 0 and 1),
    cobertura_95 double precision check (cobertura_95 between 0 and 1),
    publicado boolean not null,
    suprimido boolean not null,
    primary key (distribuidora_id, nivel, serie_id, modelo),
    constraint previsao_perde_do_ingenuo check (not (publicado and mase > 1.0001))
);
-- Of which publications the forecasts of a distributor are made, written with them: what changed since is pending.
create table if not exists controle.previsao_feita (
    distribuidora_id integer primary key,
    safras jsonb not null,
    horizonte smallint not null,
    versao smallint not null,
    feita_em timestamptz not null default clock_timestamp()
);
-- When the temperatures that they know landed.
alter table controle.previsao_feita add column if not exists clima_de timestamptz;
-- Predictions that come from R (loaders/exchange), each file whole: contract in docs/r.md.
create table if not exists controle.previsao_externa_arquivo (
    carga_id bigint generated always as identity primary key,
    arquivo text not null,
    sha256 text not null unique,
    contrato smallint not null,
    linhas bigint not null,
    series bigint not null,
    substituidas bigint not null,
    recebido_em timestamptz not null default clock_timestamp()
);
create table if not exists raw.previsao_externa (
    distribuidora_id integer not null,
    nivel text not null check (nivel in ('distribuidora', 'municipio_classe', 'conjunto', 'segmento')),
    serie_id text not null,
    competencia date not null check (extract(day from competencia) = 1),
    modelo text not null,
    media double precision not null,
    inferior double precision not null,
    superior double precision not null,
    treinado_ate date not null,
    carga_id bigint not null references controle.previsao_externa_arquivo (carga_id),
    primary key (distribuidora_id, nivel, serie_id, modelo, treinado_ate, competencia),
    constraint previsao_externa_faixa check (
        0 <= inferior and inferior <= media and media <= superior and superior < 'infinity'
    ),
    constraint previsao_externa_depois_do_treino check (
        competencia > treinado_ate and competencia <= treinado_ate + interval '60 months'
    )
);
do $$
begin
    if to_regrole('intel_dbt') is not null then
        grant select on raw.previsao_energia, raw.previsao_desempenho, raw.previsao_externa to intel_dbt;
    end if;
end
$$;

-- Outcomes of proposals (loaders/outcomes), every file's rows as it says them: of one offer to one unit the newest
-- file's word counts. What people brought: no build touches it. A row goes with its file.
create table if not exists controle.resultado_arquivo (
    arquivo_id bigint generated always as identity primary key,
    arquivo text not null,
    sha256 text not null unique,
    linhas bigint not null,
    recebido_em timestamptz not null default clock_timestamp()
);
create table if not exists raw.resultado_lead (
    arquivo_id bigint not null references controle.resultado_arquivo on delete cascade,
    linha bigint not null,
    distribuidora_id integer not null,
    cod_id text,
    cnpj text check (cnpj ~ '^[0-9A-Z]{12}[0-9]{2}$'),
    oferta text not null,
    resultado text not null check (resultado in ('ganho', 'perdido')),
    data date not null,
    primary key (arquivo_id, linha),
    constraint resultado_lead_de_quem check (num_nonnulls(cod_id, cnpj) > 0)
);
-- What was learned of them (learning/publish.py), an offer a row, and the weights that are in use.
create table if not exists raw.aprendizado (
    oferta text primary key,
    aprendido_em timestamptz not null,
    resultados_md5 text,
    resultados bigint not null,
    leads bigint not null,
    ganhos bigint not null,
    sem_par jsonb not null,
    julgados bigint,
    ganhos_julgados bigint,
    julgado_desde date,
    julgado_ate date,
    auc_semente double precision,
    auc_aprendidos double precision,
    auc_ganho_minimo double precision,
    precisao_media_semente double precision,
    precisao_media_aprendidos double precision,
    primeiro_decimo_semente double precision,
    primeiro_decimo_aprendidos double precision,
    brier_semente double precision,
    brier_aprendidos double precision,
    ganhos_esperados_semente double precision,
    ganhos_esperados_aprendidos double precision,
    usado boolean not null,
    desfeito boolean not null default false,
    motivo text not null
);
alter table raw.aprendizado add column if not exists resultados_md5 text;
alter table raw.aprendizado drop column if exists ultimo_arquivo_id;
create table if not exists raw.peso_aprendido (
    oferta text not null references raw.aprendizado on delete cascade,
    criterio text not null,
    peso double precision not null check (peso between 0 and 1),
    peso_semente double precision not null,
    primary key (oferta, criterio)
);
do $$
begin
    if to_regrole('intel_dbt') is not null then
        grant select on raw.aprendizado, raw.peso_aprendido to intel_dbt;
    end if;
end
$$;

comment on table intel_lead.import_status is
    'Uma linha por execução de importação × camada (arquivo, safra, situação, contagens).';
comment on column intel_lead.import_status.import_id is
    'Identificador da execução da importação de uma camada.';
comment on column intel_lead.import_status.distribuidora_id is
    'Código ANEEL da distribuidora (BASE.DIST); nulo se o arquivo não pôde ser lido.';
comment on column intel_lead.import_status.ano is
    'Ano da safra (BASE.DAT_FNL).';
comment on column intel_lead.import_status.camada is
    'Camada importada, com o nome que a ANEEL lhe dá: UCBT, PONNOT, CRVCRG…';
comment on column intel_lead.import_status.status is
    'pending, running, completed ou failed.';
comment on column intel_lead.import_status.arquivo is
    'Nome do arquivo de origem.';
comment on column intel_lead.import_status.sha256 is
    'Resumo SHA-256 do conteúdo do arquivo.';
comment on column intel_lead.import_status.linhas_processadas is
    'Linhas gravadas em raw.';
comment on column intel_lead.import_status.linhas_rejeitadas is
    'Linhas guardadas em raw.rejeitado.';
comment on column intel_lead.import_status.data_inicio is
    'Início da execução.';
comment on column intel_lead.import_status.data_fim is
    'Fim da execução.';
comment on column intel_lead.import_status.observacoes is
    'O que chamou a atenção sem impedir a carga.';
comment on column intel_lead.import_status.erro is
    'Motivo da falha.';
comment on column intel_lead.import_status.removida_em is
    'Quando a safra foi removida do armazém (python -m loaders remover); nulo se não foi.';
