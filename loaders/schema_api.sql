-- Schema app's tables of the API (api/): who may call it, since when, what was called, what was said of a lead.
-- Belongs here: users, sessions, tokens (as digests), keys, audit, acompanhamento. Not here: alerts, devices
-- (schema_app.sql), who may read and write (server/roles.py). No dbt build touches any of it.
-- A change of a table is the next number of schema app's comment, and of api/database.py's APP_VERSION.

create table if not exists app.usuario (
    id uuid primary key default gen_random_uuid(),
    nome text not null unique check (nome ~ '^[a-z0-9][a-z0-9._@-]{1,99}$'),
    papel text not null check (papel in ('leitor', 'comercial', 'parceiro', 'admin', 'dispositivo')),
    senha_hash text,
    dispositivo_id text check (dispositivo_id <> ''),
    redes cidr[] not null default '{}',
    cota_diaria integer check (cota_diaria > 0),
    ativo boolean not null default true,
    criado_em timestamptz not null default now(),
    constraint usuario_dispositivo check ((papel = 'dispositivo') = (dispositivo_id is not null)),
    constraint usuario_senha check ((papel in ('parceiro', 'dispositivo')) = (senha_hash is null))
);
alter table app.usuario add column if not exists rotas text[] not null default '{}';
alter table app.usuario add column if not exists visita_em timestamptz;
alter table app.usuario add column if not exists visita_anterior_em timestamptz;
comment on table app.usuario is 'Uma linha por quem chama a API: pessoas, com senha; parceiros e dispositivos, com chave (docs/api.md).';
comment on column app.usuario.nome is 'Como entra.';
comment on column app.usuario.senha_hash is 'Argon2id da senha; nulo para quem só tem chave.';
comment on column app.usuario.dispositivo_id is 'O único dispositivo AICSS de que envia leituras.';
comment on column app.usuario.redes is 'De que redes pode chamar; vazia: de qualquer uma.';
comment on column app.usuario.rotas is 'Que rotas pode chamar, como leads ou perdas/mensais; vazia: as do seu papel.';
comment on column app.usuario.visita_em is 'Quando o painel perguntou por último quem ela é.';
comment on column app.usuario.visita_anterior_em is 'Quando acabou a visita anterior: meia hora sem perguntar começa outra.';
comment on column app.usuario.cota_diaria is 'Chamadas por dia (hora de Brasília); nula: sem cota.';

create table if not exists app.sessao (
    id uuid primary key default gen_random_uuid(),
    usuario_id uuid not null references app.usuario (id),
    criada_em timestamptz not null default now(),
    expira_em timestamptz not null,
    encerrada_em timestamptz,
    motivo text check (motivo in ('saida', 'reuso', 'admin')),
    constraint sessao_motivo check ((encerrada_em is null) = (motivo is null))
);
create index if not exists sessao_de_usuario on app.sessao (usuario_id) where encerrada_em is null;
comment on table app.sessao is 'Uma linha por entrada de uma pessoa: a família dos seus tokens. Encerrada, nenhum deles vale mais.';

create table if not exists app.token_renovacao (
    sha256 bytea primary key,
    sessao_id uuid not null references app.sessao (id) on delete cascade,
    emitido_em timestamptz not null default now(),
    usado_em timestamptz
);
comment on table app.token_renovacao is 'Uma linha por token de renovação emitido (o seu SHA-256): vale uma vez; usado de novo, encerra a sessão.';

create table if not exists app.chave_api (
    sha256 bytea primary key,
    usuario_id uuid not null references app.usuario (id),
    criada_em timestamptz not null default now(),
    revogada_em timestamptz
);
comment on table app.chave_api is 'Uma linha por chave de parceiro ou dispositivo (o seu SHA-256).';

create table if not exists app.auditoria (
    id bigint generated always as identity primary key,
    quando timestamptz not null default now(),
    pedido uuid not null,
    usuario_id uuid,
    usuario text,
    papel text,
    ip inet,
    metodo text not null,
    caminho text not null,
    consulta text,
    status smallint not null,
    linhas integer,
    duracao_ms integer not null
);
create index if not exists auditoria_de_usuario on app.auditoria (usuario_id, quando);
comment on table app.auditoria is 'Uma linha por chamada da API: quem, o quê, quantas linhas saíram. Só cresce.';
create or replace function app.recusa_mudanca() returns trigger language plpgsql as $f$
begin
    -- Only app.poda, which says so itself, takes away: who calls it may delete nothing.
    if tg_op = 'DELETE' and tg_table_name = 'auditoria' and current_setting('app.poda', true) = 'sim' then
        return null;
    end if;
    raise exception 'app.% só cresce: % não se aceita', tg_table_name, lower(tg_op)
    using errcode = 'insufficient_privilege';
end
$f$;
create or replace trigger so_cresce before update or delete or truncate on app.auditoria
for each statement execute function app.recusa_mudanca();

create table if not exists app.acompanhamento (
    id bigint generated always as identity primary key,
    distribuidora_id integer not null,
    cod_id text not null,
    oferta text not null,
    situacao text not null check (
        situacao in ('novo', 'em_contato', 'proposta', 'ganho', 'perdido', 'descartado')
    ),
    resultado_em date,
    responsavel text,
    observacao text,
    alterado_em timestamptz not null default now(),
    alterado_por uuid not null references app.usuario (id),
    constraint acompanhamento_resultado
    check ((situacao in ('ganho', 'perdido')) = (resultado_em is not null))
);
create index if not exists acompanhamento_ultimo
on app.acompanhamento (distribuidora_id, cod_id, oferta, id desc);
comment on table app.acompanhamento is 'Uma linha por mudança do acompanhamento de uma UC × oferta: vale a última. Fica de safra a safra, pelo COD_ID. Só cresce.';
create or replace trigger so_cresce before update or delete or truncate on app.acompanhamento
for each statement execute function app.recusa_mudanca();

create table if not exists app.busca_salva (
    id uuid primary key default gen_random_uuid(),
    usuario_id uuid not null references app.usuario (id),
    nome text not null check (length(nome) between 1 and 100),
    consulta text not null check (length(consulta) <= 2000),
    criada_em timestamptz not null default now(),
    unique (usuario_id, nome)
);
comment on table app.busca_salva is 'Uma linha por busca de leads que alguém guardou: só essa pessoa a vê.';
comment on column app.busca_salva.consulta is 'Os filtros, como depois do ? de GET /api/v1/leads.';

create table if not exists app.relatorio_agendado (
    id uuid primary key default gen_random_uuid(),
    quando text not null check (quando in ('diario', 'semanal', 'mensal', 'publicacao')),
    pedido jsonb not null check (jsonb_typeof(pedido) = 'object'),
    criado_por uuid not null references app.usuario (id),
    criado_em timestamptz not null default now()
);
comment on table app.relatorio_agendado is 'Uma linha por relatório que se faz de novo por si: o Dagster o lê toda manhã.';
comment on column app.relatorio_agendado.quando is 'Toda manhã, às segundas, no dia 1, ou na manhã seguinte a uma safra sua ser publicada.';
comment on column app.relatorio_agendado.pedido is 'O que se pede ao trabalho relatorios: periodo, safras, municipios, ofertas, secoes, titulo, pasta.';

create table if not exists app.alerta_reconhecido (
    alerta_id bigint primary key references app.alerta (id) on delete cascade,
    usuario_id uuid not null references app.usuario (id),
    nota text check (length(nota) <= 2000),
    quando timestamptz not null default now()
);
comment on table app.alerta_reconhecido is 'Uma linha por alerta que alguém disse ter visto: quem, quando, com que nota.';

create table if not exists app.tentativa (
    chave bytea not null,
    quando timestamptz not null default clock_timestamp()
);
create index if not exists tentativa_de_chave on app.tentativa (chave, quando);
comment on table app.tentativa is 'Uma linha por tentativa de entrar ou renovar: o SHA-256 do nome e do endereço. Serve um minuto.';

-- What is older goes; a trail of less than thirty days does not, whoever asks. server/retention.py
create or replace function app.poda(dias_auditoria integer, dias_sessao integer)
returns table (tabela text, linhas bigint) language plpgsql security definer
set search_path = pg_catalog, pg_temp as $f$
begin
    if dias_auditoria is null or dias_auditoria < 30 or dias_sessao is null or dias_sessao < 1 then
        raise exception 'a auditoria fica trinta dias ou mais; uma sessão encerrada, um ou mais';
    end if;
    perform set_config('app.poda', 'sim', true);
    delete from app.auditoria where quando < now() - make_interval(days => dias_auditoria);
    get diagnostics linhas = row_count;
    perform set_config('app.poda', '', true);
    tabela := 'app.auditoria';
    return next;
    delete from app.sessao
    where coalesce(encerrada_em, expira_em) < now() - make_interval(days => dias_sessao);
    get diagnostics linhas = row_count;
    tabela := 'app.sessao';
    return next;
    delete from app.tentativa where quando < now() - interval '1 hour';
    get diagnostics linhas = row_count;
    tabela := 'app.tentativa';
    return next;
end
$f$;
revoke execute on function app.poda(integer, integer) from public;

-- How long calls took, by day and first part of the route: who reads marts sees this, and nobody's calls.
create or replace view app.latencia_por_dia as
select
    (quando at time zone 'America/Sao_Paulo')::date as dia,
    split_part(caminho, '/', 4) as rota,
    count(*) as chamadas,
    count(*) filter (where status >= 500) as falhas,
    sum(duracao_ms)::double precision / 1000 as segundos,
    percentile_cont(0.5) within group (order by duracao_ms) as p50_ms,
    percentile_cont(0.95) within group (order by duracao_ms) as p95_ms
from app.auditoria
where quando > now() - interval '30 days' and caminho like '/api/v1/%'
group by 1, 2;
comment on view app.latencia_por_dia is 'Uma linha por dia × rota da API, dos últimos 30 dias: quantas chamadas, quanto demoraram. De quem, não diz.';

comment on schema app is 'versão 4';
