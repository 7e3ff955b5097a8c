-- What the CNPJ registry and the steps of enrichment need; run by connection.prepare, idempotent.
-- Belongs here: DDL of this source. Not here: who matches whom (dbt's).

-- Legal persons' establishments in the municípios that were asked for, of the newest delivery that has them.
create table if not exists raw.empresa_estabelecimento (
    cnpj text primary key check (cnpj ~ '^[0-9A-Z]{12}[0-9]{2}$'),
    cnpj_basico text not null,
    entrega_id bigint not null,
    municipio_id integer not null,
    matriz boolean,
    situacao smallint,
    data_situacao date,
    data_inicio date,
    cnae text,
    cnaes_secundarios text[] not null,
    cep text,
    tipo_logradouro text,
    logradouro text,
    numero text,
    complemento text,
    bairro text,
    uf text,
    nome_fantasia text,
    telefone text,
    email text,
    razao_social text not null,
    natureza_juridica text not null check (natureza_juridica ~ '^[123]' and natureza_juridica <> '2135'),
    capital_social numeric,
    porte smallint
);
create index if not exists empresa_estabelecimento_cep_idx on raw.empresa_estabelecimento (cep);
create index if not exists empresa_estabelecimento_municipio_idx on raw.empresa_estabelecimento (municipio_id);

-- How many active establishments of natural persons share a CEP with a CNAE or a number: nothing else of them lands.
create table if not exists raw.empresa_pessoas (
    municipio_id integer not null,
    cep text not null,
    chave text not null check (chave in ('cnae', 'numero')),
    valor text not null,
    quantas bigint not null check (quantas > 0),
    primary key (municipio_id, cep, chave, valor)
);

-- How much a unit's address (LGRD) is like an establishment's: the figure alone, never the text.
create table if not exists raw.empresa_semelhanca (
    ano smallint not null,
    distribuidora_id integer not null,
    origem text not null,
    cod_id text not null,
    cnpj text not null,
    logradouro double precision not null check (logradouro between 0 and 1),
    numero boolean not null,
    primary key (ano, distribuidora_id, origem, cod_id, cnpj)
);

-- What a service answered for an establishment's address; the same address is asked once.
create table if not exists raw.geocodificacao (
    cnpj text primary key,
    endereco text not null,
    latitude double precision check (latitude between -34 and 6),
    longitude double precision check (longitude between -75 and -28),
    servico text not null,
    perguntado_em timestamptz not null default clock_timestamp(),
    check ((latitude is null) = (longitude is null))
);
create index if not exists geocodificacao_endereco_idx on raw.geocodificacao (endereco);

create table if not exists controle.empresa_entrega (
    entrega_id bigint generated always as identity primary key,
    mes date not null check (extract(day from mes) = 1),
    sha256 text not null,
    escopo text not null,
    arquivos text[] not null,
    municipios integer[] not null,
    linhas bigint not null,
    aterrissadas bigint not null,
    fora_do_filtro bigint not null,
    de_pessoas bigint not null,
    rejeitadas bigint not null,
    aterrissada_em timestamptz not null default clock_timestamp(),
    constraint empresa_entrega_conta check (linhas = aterrissadas + fora_do_filtro + de_pessoas + rejeitadas)
);
create table if not exists controle.empresa_municipio (
    municipio_id integer primary key,
    entrega_id bigint not null references controle.empresa_entrega
);

-- One row per step of enrichment and safra: what it was made of (sinal), and whether somebody took it back. A change
-- makes the safra pending (macros/safra.sql). visto: of which import and delivery the sinal was worked out.
create table if not exists controle.enriquecimento (
    etapa text not null check (etapa in ('empresa', 'endereco', 'geocodificacao')),
    ano smallint not null,
    distribuidora_id integer not null,
    sinal text not null,
    visto text not null default '',
    desfeita boolean not null default false,
    mudada_em timestamptz not null default clock_timestamp(),
    primary key (etapa, ano, distribuidora_id)
);
create or replace view controle.enriquecimento_da_safra as
select etapa, ano, distribuidora_id, sinal, desfeita from controle.enriquecimento;

do $$
begin
    if to_regrole('intel_dbt') is not null then
        grant select on raw.empresa_estabelecimento, raw.empresa_pessoas, raw.empresa_semelhanca, raw.geocodificacao
            to intel_dbt;
    end if;
end
$$;
