-- What ANEEL's catalogue has of the BDGD, and what of it is archived here; run by connection.prepare, idempotent.
-- Belongs here: DDL of this source, and the one rule of what becomes of an item. Not here: reading the catalogue.

-- One row per item that a reading of the catalogue has ever shown; none goes. What a title says is a prediction:
-- the year of a safra is BASE's, once the file lands.
create table if not exists controle.dataset_catalogo (
    item_id text primary key,
    fonte text not null check (fonte in ('hub', 'ckan')),
    titulo text not null,
    tipo text not null check (tipo in ('geodatabase', 'csv_pj')),
    url text not null,
    sigla text,
    distribuidora_id integer,
    data_base date,
    ano smallint generated always as (extract(year from data_base)::smallint) stored,
    modelo text,
    enviado_em timestamp,
    ressalva text,
    modificado_em timestamptz,
    tamanho_bytes bigint check (tamanho_bytes > 0),
    etiquetas text[] not null default '{}',
    visto_primeiro_em timestamptz not null default clock_timestamp(),
    visto_por_ultimo_em timestamptz not null default clock_timestamp(),
    tentativa_em timestamptz,
    tentativa_erro text,
    recusado_sha256 text,
    constraint dataset_catalogo_titulo_lido check (
        (ressalva is null) = (tipo = 'csv_pj' or num_nulls(sigla, distribuidora_id, data_base, modelo) = 0)
    )
);
create index if not exists dataset_catalogo_safra_idx on controle.dataset_catalogo (distribuidora_id, ano);

-- Each reading of a source; only a complete one says of what it does not show that it is gone.
create table if not exists controle.dataset_catalogo_leitura (
    leitura_id bigint generated always as identity primary key,
    fonte text not null,
    lido_em timestamptz not null default clock_timestamp(),
    itens integer not null,
    novos integer not null,
    completa boolean not null,
    observacoes text
);
create index if not exists dataset_catalogo_leitura_idx on controle.dataset_catalogo_leitura (fonte, lido_em desc);

-- Contents in the archive: an item that was sent anew under its own id has two.
create table if not exists controle.dataset_arquivo (
    item_id text not null references controle.dataset_catalogo,
    sha256 text not null,
    caminho text not null,
    bytes bigint not null check (bytes > 0),
    segundos double precision not null check (segundos >= 0),
    modificado_em timestamptz,
    buscado_em timestamptz not null default clock_timestamp(),
    primary key (item_id, sha256)
);
create index if not exists dataset_arquivo_sha256_idx on controle.dataset_arquivo (sha256);

-- What became of each item. A re-sent base is a new version of the same safra: of the listed ones of a base date the one
-- sent last is the current one (vigente); bases of another day than 31/12 are extraordinary and stand for no safra.
create or replace view controle.catalogo_situacao as
with leitura as (
    select distinct on (fonte) fonte, lido_em from controle.dataset_catalogo_leitura
    where completa order by fonte, lido_em desc
),

arquivo as (
    select distinct on (item_id) * from controle.dataset_arquivo order by item_id, buscado_em desc
),

-- What raw holds of each safra: its newest geodatabase, accepted or held.
aterrissada as (
    select distinct on (e.ano, e.distribuidora_id)
        e.ano, e.distribuidora_id, i.sha256, i.data_fim, s.import_id, s.retida,
        lower(regexp_replace(i.arquivo, '(\.gdb)?(\.zip)?$', '')) as nome
    from controle.entrega as e
    inner join intel_lead.import_status as i on e.import_id = i.import_id
    inner join controle.safra_importada as s on e.ano = s.ano and e.distribuidora_id = s.distribuidora_id
    where e.camada = 'PONNOT'
    order by e.ano, e.distribuidora_id, e.import_id desc
),

item as (
    select
        c.*,
        coalesce(c.visto_por_ultimo_em >= l.lido_em, true) as no_catalogo,
        to_char(c.data_base, 'MM-DD') <> '12-31' as extraordinaria
    from controle.dataset_catalogo as c
    left join leitura as l on c.fonte = l.fonte
)

select
    i.item_id,
    i.fonte,
    i.titulo,
    i.tipo,
    i.url,
    i.sigla,
    i.distribuidora_id,
    i.data_base,
    i.ano,
    i.modelo,
    i.enviado_em,
    i.ressalva,
    i.modificado_em,
    i.tamanho_bytes,
    i.visto_primeiro_em,
    i.visto_por_ultimo_em,
    i.no_catalogo,
    i.extraordinaria,
    -- One by one: among those of no safra nothing is current.
    i.ressalva is null and i.tipo = 'geodatabase' and row_number() over (
        partition by i.distribuidora_id, i.data_base
        order by i.no_catalogo desc, i.enviado_em desc nulls last, i.modificado_em desc nulls last, i.item_id
    ) = 1 as vigente,
    a.sha256,
    a.caminho,
    a.bytes,
    a.buscado_em,
    -- A new description alone changes the date, and not the size.
    a.sha256 is not null and a.modificado_em is distinct from i.modificado_em
        and a.bytes is distinct from i.tamanho_bytes as mudou_depois,
    l.ano as ano_aterrissado,
    coalesce(l.data_fim, b.data_fim) as aterrissada_em,
    l.import_id,
    coalesce(l.retida, false) as retida,
    i.tentativa_em,
    i.tentativa_erro,
    i.recusado_sha256 is not null and i.recusado_sha256 is not distinct from a.sha256 as recusada
from item as i
left join arquivo as a on i.item_id = a.item_id
left join lateral (
    -- By its content; what a person downloaded and landed, by the name that ANEEL gave it.
    select t.* from aterrissada as t
    where a.sha256 = t.sha256 or (i.distribuidora_id = t.distribuidora_id and lower(i.titulo) = t.nome)
    order by a.sha256 is not distinct from t.sha256 desc, t.ano desc
    limit 1
) as l on true
-- A CSV stands beside geodatabases: it is no safra.
left join lateral (
    select max(s.data_fim) as data_fim from intel_lead.import_status as s
    where i.tipo = 'csv_pj' and s.sha256 = a.sha256 and s.status = 'completed' and s.removida_em is null
) as b on true;
