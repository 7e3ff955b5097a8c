-- Schema app's tables of alerts and deliveries (alerts/), and the rules that stand there at first; run with schema.sql.
-- Belongs here: what people edit (regra_alerta, contato, dispositivo_config) and what the product writes for them
-- (alerta, entrega).
-- Not here: metrics (alerts/metrics.py), who may read and write (server/roles.py). No dbt build touches any of it.

create schema if not exists app;

create table if not exists app.regra_alerta (
    chave text primary key check (chave ~ '^[a-z][a-z0-9_]*$'),
    titulo text not null check (titulo <> ''),
    metrica text not null,
    nivel text not null,
    distribuidora_id integer,
    alvos text[],
    operador text not null default '>' check (operador in ('>', '>=', '<', '<=')),
    limite double precision not null check (limite = limite and abs(limite) < 'infinity'),
    janela_meses smallint not null default 12 check (janela_meses between 1 and 12),
    histerese double precision not null default 0 check (histerese >= 0 and histerese < 'infinity'),
    destinatarios text[] not null default '{}' check (array_position(destinatarios, null) is null),
    ativa boolean not null default true,
    criada_em timestamptz not null default now(),
    alterada_em timestamptz not null default now(),
    alterada_por text not null default session_user
);
comment on table app.regra_alerta is 'Uma linha por regra de alerta: quem a edita são pessoas; nenhuma construção a muda (docs/alertas.md).';
comment on column app.regra_alerta.chave is 'Nome curto e fixo da regra.';
comment on column app.regra_alerta.titulo is 'O que se lê no alerta.';
comment on column app.regra_alerta.metrica is 'Uma das métricas de python -m alerts regras --metricas.';
alter table app.regra_alerta
    drop constraint if exists regra_alerta_nivel_check,
    add constraint regra_alerta_nivel_check check (
        nivel in ('distribuidora', 'municipio', 'bairro', 'conjunto', 'circuito', 'uc', 'dispositivo')
    );
comment on column app.regra_alerta.nivel is 'De que são os alvos: distribuidora, municipio, bairro, conjunto, circuito, uc ou dispositivo (AICSS).';
comment on column app.regra_alerta.distribuidora_id is 'Só esta distribuidora; nulo: todas.';
comment on column app.regra_alerta.alvos is 'Só estes alvos, como em app.alerta.alvo; nulo: todos.';
comment on column app.regra_alerta.operador is 'Como a métrica se compara com o limite: >, >=, < ou <=.';
comment on column app.regra_alerta.limite is 'Limite, na unidade da métrica.';
comment on column app.regra_alerta.janela_meses is 'Quantos dos últimos meses da safra se olham; métricas do ano só têm 12.';
comment on column app.regra_alerta.histerese is 'Quanto a métrica deve voltar para aquém do limite até o alerta fechar, na unidade dela.';
comment on column app.regra_alerta.destinatarios is 'Endereços de e-mail e nomes de webhook (o endereço deste está no ambiente: INTEL_WEBHOOK_NOME).';
comment on column app.regra_alerta.ativa is 'Se a regra é julgada; ao desligar, os seus alertas abertos fecham.';
comment on column app.regra_alerta.criada_em is 'Quando a regra foi criada.';
comment on column app.regra_alerta.alterada_em is 'Quando foi mudada por último.';
comment on column app.regra_alerta.alterada_por is 'Quem a mudou por último.';

create or replace function app.assina_regra() returns trigger language plpgsql as $f$
begin
    new.alterada_em := now();
    -- The API says which of its users it is.
    new.alterada_por := coalesce(
        case when current_user = 'intel_app' then nullif(current_setting('app.quem', true), '') end,
        session_user
    );
    return new;
end
$f$;
create or replace trigger assina before insert or update on app.regra_alerta
for each row execute function app.assina_regra();

create table if not exists app.regra_padrao (
    chave text primary key,
    oferecida_em timestamptz not null default now()
);

create table if not exists app.alerta (
    id bigint generated always as identity primary key,
    regra text not null references app.regra_alerta (chave) on update cascade,
    distribuidora_id integer,
    nivel text not null,
    alvo text not null,
    nome text,
    ano smallint not null,
    mes smallint,
    valor double precision,
    valor_abertura double precision not null,
    limite double precision not null,
    aberto_em timestamptz not null,
    visto_em timestamptz not null,
    fechado_em timestamptz,
    motivo_fechamento text check (motivo_fechamento in ('voltou', 'sem_alvo', 'regra_desligada')),
    evidencia jsonb not null,
    check ((fechado_em is null) = (motivo_fechamento is null)),
    check (fechado_em >= aberto_em)
);
create unique index if not exists alerta_um_aberto on app.alerta (regra, distribuidora_id, nivel, alvo)
nulls not distinct where fechado_em is null;
comment on table app.alerta is 'Uma linha por abertura de alerta, regra × alvo: no máximo um aberto de cada (docs/alertas.md).';

create table if not exists app.entrega (
    id bigint generated always as identity primary key,
    chave uuid not null unique default gen_random_uuid(),
    assunto text not null check (assunto in ('alerta', 'lead')),
    referencia text not null,
    destino text not null,
    corpo jsonb not null,
    situacao text not null default 'pendente' check (situacao in ('pendente', 'entregue', 'morta')),
    tentativas smallint not null default 0,
    proxima_em timestamptz not null,
    ultimo_erro text,
    criada_em timestamptz not null,
    entregue_em timestamptz check ((entregue_em is not null) = (situacao = 'entregue')),
    unique (assunto, referencia, destino)
);
alter table app.entrega drop constraint if exists entrega_assunto_check;
alter table app.entrega add constraint entrega_assunto_check
check (assunto in ('alerta', 'lead', 'incidente'));
create index if not exists entrega_pendente on app.entrega (proxima_em) where situacao = 'pendente';
comment on table app.entrega is 'Uma linha por assunto × destinatário: o que há a entregar, o que foi, e o que morreu com o último erro.';

create table if not exists app.incidente (
    id bigint generated always as identity primary key,
    chave text not null check (chave <> ''),
    gravidade text not null check (gravidade in ('aviso', 'erro')),
    o_que text not null,
    motivo text not null,
    comando text not null,
    aberto_em timestamptz not null,
    visto_em timestamptz not null,
    fechado_em timestamptz check (fechado_em >= aberto_em)
);
create unique index if not exists incidente_um_aberto on app.incidente (chave) where fechado_em is null;
comment on table app.incidente is 'Uma linha por coisa errada no armazém, do primeiro olhar que a viu até o primeiro que não: no máximo uma aberta por chave (docs/runbook.md).';

create table if not exists app.contato (
    distribuidora_id integer not null,
    cod_id text not null,
    situacao text not null check (situacao in ('em_contato', 'cliente', 'recusou')),
    quando timestamptz not null default now(),
    primary key (distribuidora_id, cod_id)
);
comment on table app.contato is 'Uma linha por UC com quem já se fala: não sai de novo para o CRM. Quem a edita são pessoas.';

-- A row more for every change, none changed or gone: what was valid stays, for the hours that it was valid in.
create table if not exists app.dispositivo_config (
    dispositivo_id text not null check (dispositivo_id <> ''),
    valido_de timestamptz not null,
    nome text,
    municipio_id integer,
    distribuidora_id integer,
    cod_id text,
    potencia_interna_w double precision check (potencia_interna_w >= 0 and potencia_interna_w < 'infinity'),
    potencia_externa_w double precision check (potencia_externa_w >= 0 and potencia_externa_w < 'infinity'),
    limiar_luz double precision not null default 2000 check (limiar_luz between 0 and 4095),
    limiar_distancia_cm double precision not null default 100
        check (limiar_distancia_cm > 0 and limiar_distancia_cm < 'infinity'),
    periodo_s double precision not null default 1 check (periodo_s > 0 and periodo_s <= 86400),
    tarifa_brl_kwh double precision check (tarifa_brl_kwh >= 0 and tarifa_brl_kwh < 'infinity'),
    origem text not null check (origem in ('semente', 'comando', 'api')),
    alterada_em timestamptz not null default now(),
    alterada_por text not null default session_user,
    primary key (dispositivo_id, valido_de),
    constraint dispositivo_config_uc check ((distribuidora_id is null) = (cod_id is null))
);
comment on table app.dispositivo_config is 'Uma linha por dispositivo AICSS × início de validade: vale até a próxima do mesmo dispositivo. Cresce por python -m loaders dispositivo (docs/aicss.md).';
comment on column app.dispositivo_config.dispositivo_id is 'Identificador que o dispositivo envia.';
comment on column app.dispositivo_config.valido_de is 'Desde quando vale; -infinity: desde sempre.';
comment on column app.dispositivo_config.nome is 'Nome dado ao dispositivo.';
comment on column app.dispositivo_config.municipio_id is 'Município onde está (código IBGE).';
comment on column app.dispositivo_config.distribuidora_id is 'Distribuidora da UC a que está ligado; nula sem UC.';
comment on column app.dispositivo_config.cod_id is 'COD_ID dessa UC.';
comment on column app.dispositivo_config.potencia_interna_w is 'Potência da carga interna, W; nula: não há energia.';
comment on column app.dispositivo_config.potencia_externa_w is 'Potência da carga externa, W; nula: não há energia.';
comment on column app.dispositivo_config.limiar_luz is 'Abaixo desta luz (0 a 4095) está escuro.';
comment on column app.dispositivo_config.limiar_distancia_cm is 'Abaixo desta distância há alguém perto, cm.';
comment on column app.dispositivo_config.periodo_s is 'Intervalo entre leituras, s.';
comment on column app.dispositivo_config.tarifa_brl_kwh is 'Preço, R$/kWh; nulo: sem custo.';
comment on column app.dispositivo_config.origem is 'De onde veio: semente (dispositivo_dominio), comando ou api.';
comment on column app.dispositivo_config.alterada_em is 'Quando a linha foi escrita.';
comment on column app.dispositivo_config.alterada_por is 'Por quem.';

create or replace function app.guarda_configuracao() returns trigger language plpgsql as $f$
begin
    raise exception 'o que já valeu não se muda: acrescente uma linha (python -m loaders dispositivo mudar)';
end
$f$;
create or replace trigger guarda before update or delete on app.dispositivo_config
for each row execute function app.guarda_configuracao();

with padrao (chave, titulo, metrica, nivel, operador, limite, janela_meses, histerese, ativa) as (
    values
    ('dic_conjunto_acima_do_limite', 'DIC do conjunto acima do limite de DEC', 'dic_sobre_limite', 'conjunto', '>', 1, 12, 0.05, true),
    ('dic_conjunto_dobro_da_mediana', 'DIC do conjunto acima do dobro da mediana', 'dic_sobre_mediana', 'conjunto', '>', 2, 12, 0.2, true),
    ('dic_municipio_dobro_da_mediana', 'DIC do município acima do dobro da mediana', 'dic_sobre_mediana', 'municipio', '>', 2, 12, 0.2, true),
    ('cliente_acima_do_tipico', 'Cliente muito acima do seu mês típico', 'consumo_sobre_tipico', 'uc', '>=', 5, 12, 1, true),
    ('queda_no_municipio', 'Queda brusca de consumo no município', 'queda_na_area', 'municipio', '>=', 30, 12, 5, false),
    ('aicss_acima_da_media', 'Dispositivo AICSS consome acima do seu normal', 'aicss_consumo_z', 'dispositivo', '>', 3.5, 12, 0, true),
    ('aicss_calado', 'Dispositivo AICSS calado: confira o sensor', 'aicss_horas_calado', 'dispositivo', '>', 24, 12, 0, true),
    ('aicss_travado', 'Sensor AICSS travado', 'aicss_leituras_travadas', 'dispositivo', '>=', 30, 12, 0, true),
    ('aicss_impossivel', 'Sensor AICSS com leituras impossíveis', 'aicss_fora_da_faixa_pct', 'dispositivo', '>', 10, 12, 0, true)
),

nova as (
    insert into app.regra_padrao (chave)
    select p.chave from padrao as p
    on conflict do nothing
    returning chave
)

insert into app.regra_alerta (chave, titulo, metrica, nivel, operador, limite, janela_meses, histerese, ativa)
select p.chave, p.titulo, p.metrica, p.nivel, p.operador, p.limite, p.janela_meses, p.histerese, p.ativa
from padrao as p
inner join nova as n on p.chave = n.chave
on conflict (chave) do nothing;
