"""What a server must have before anything is written to it: each lack is said, with its remedy.

Belongs here: asking the server, and the words. Not here: a server of ours (server/postgres.py).
"""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from loaders.errors import DatabaseFailure

OLDEST = 15
LOCKS = 1024
LOCKS_PER_SAFRA = 160
"""A safra's tables and indexes (154 on 2026-11-30): what a backup and queries without a filter, at
the same time, lock of it at most. The heaviest view alone takes 11."""
CONNECTIONS = 20
"""What two runs beside an open Dagster page take: docs/num_servidor_seu.md counts them."""
TRIES = 20

FACTS = """
    select
        current_setting('server_version') as version,
        current_setting('server_version_num')::integer / 10000 as major,
        pg_is_in_recovery() as standby,
        current_setting('transaction_read_only') = 'on' as read_only,
        current_user::text as role,
        d.datname as database,
        pg_encoding_to_char(d.encoding) as encoding,
        has_database_privilege(d.oid, 'create') as may_create,
        to_regnamespace('controle') is not null as made,
        (select n.nspname from pg_extension as e
            inner join pg_namespace as n on e.extnamespace = n.oid
            where e.extname = 'postgis') as postgis,
        (select has_schema_privilege(e.extnamespace, 'usage') from pg_extension as e
            where e.extname = 'postgis') as may_use_postgis,
        case when not exists (select from pg_extension where extname = 'postgis')
            then exists (select from pg_available_extensions where name = 'postgis')
        end as has_postgis,
        current_setting('max_locks_per_transaction')::integer as locks,
        current_setting('max_connections')::integer
        + current_setting('autovacuum_max_workers')::integer + 1
        + current_setting('max_worker_processes')::integer
        + current_setting('max_wal_senders')::integer
        + current_setting('max_prepared_transactions')::integer as backends,
        least(
            current_setting('max_connections')::integer
            - current_setting('superuser_reserved_connections')::integer,
            nullif(d.datconnlimit, -1), nullif(r.rolconnlimit, -1)
        ) as connections,
        (select numbackends from pg_stat_database where datid = d.oid) as taken
    from pg_database as d cross join pg_roles as r
    where d.datname = current_database() and r.rolname = current_user"""


@dataclass(frozen=True)
class Facts:
    """What a server says of itself, of this database and of this login."""

    version: str
    major: int
    standby: bool
    read_only: bool
    role: str
    database: str
    encoding: str
    may_create: bool
    made: bool
    postgis: str | None
    may_use_postgis: bool | None
    has_postgis: bool | None
    locks: int
    backends: int
    connections: int
    taken: int


def ask(conn: psycopg.Connection) -> Facts:
    """One query."""
    return Facts(*conn.execute(FACTS).fetchone())


def lacks(f: Facts) -> list[str]:
    """Why nothing can be written here, in Portuguese; empty if all can."""
    if f.major < OLDEST:
        return [
            f"o servidor é PostgreSQL {f.version}, e é preciso o {OLDEST} ou mais novo: atualize-o"
            " ou use outro"
        ]
    found = []
    if f.standby:
        found.append(
            "o servidor é uma réplica, só de leitura (standby): use o endereço do servidor primário"
        )
    elif f.read_only:
        found.append(
            "as transações aqui são só de leitura (default_transaction_read_only = on): use outra"
            f' conta, ou: alter role "{f.role}" set default_transaction_read_only = off'
        )
    if f.encoding != "UTF8":
        found.append(
            f"o banco {f.database} está na codificação {f.encoding}, e é preciso UTF-8: crie outro"
            " (create database … encoding 'UTF8' template template0) e aponte DATABASE_URL para ele"
        )
    if not f.made and not f.may_create:
        found.append(
            f"a conta {f.role} não pode criar esquemas no banco {f.database} (falta CREATE)"
        )
    if not f.postgis and not f.has_postgis:
        found.append(
            "o PostGIS não está instalado no servidor: quem o administra instala o pacote"
            f" (no Debian, postgresql-{f.major}-postgis-3)"
        )
    if f.may_use_postgis is False:
        found.append(f"a conta {f.role} não pode usar o esquema {f.postgis}, onde está o PostGIS")
    return found


def warnings(f: Facts) -> list[str]:
    """What will be too little some day, with the figure and the remedy."""
    found = []
    room = f.locks * f.backends
    if f.locks < LOCKS:
        found.append(
            f"max_locks_per_transaction é {f.locks}: dá para {room // LOCKS_PER_SAFRA} safras (a"
            f" tabela de travas do servidor tem {room} lugares, e uma safra tem até"
            f" {LOCKS_PER_SAFRA} tabelas e índices). Antes de passar disso, quem o administra"
            f" digita: alter system set max_locks_per_transaction = {LOCKS}; e reinicia"
        )
    free = f.connections - f.taken
    if f.connections < CONNECTIONS:
        found.append(
            f"há {f.connections} conexões para esta conta ({free} livres agora), e uma construção"
            f" com a página do Dagster aberta usa até {CONNECTIONS} (docs/num_servidor_seu.md):"
            " aumente max_connections, ou o limite da conta ou do banco (connection limit)"
        )
    return found


def refuse(conn: psycopg.Connection) -> Facts:
    """Pass a server that can be written to; install PostGIS where it lacks and we may.

    Raises:
        DatabaseFailure: it cannot; says all that lacks, and the SQL for its administrator.
    """
    facts = ask(conn)
    found = lacks(facts)
    if facts.database != conn.info.dbname:
        found.append(
            f"{conn.info.dbname} é só o apelido que um pooler dá ao banco {facts.database}: use em"
            " DATABASE_URL o nome verdadeiro"
        )
    if not found and not facts.postgis:
        found = _install_postgis(conn, facts)
    if found:
        text = "; ".join(found) + ". Nada foi mudado"
        raise DatabaseFailure(text + for_the_administrator(facts))
    return facts


def _install_postgis(conn: psycopg.Connection, facts: Facts) -> list[str]:
    """In the schema that the login's own search_path gives, else in one made for it."""
    try:
        with conn.transaction():
            conn.execute("select pg_advisory_xact_lock(hashtextextended('intel_lead esquema', 0))")
            conn.execute("create extension if not exists postgis")
    except (psycopg.errors.InvalidSchemaName, psycopg.errors.InsufficientPrivilege):
        try:
            with conn.transaction():
                conn.execute("create schema if not exists extensions")
                conn.execute("create extension if not exists postgis schema extensions")
        except psycopg.errors.InsufficientPrivilege:
            return [
                f"falta o PostGIS no banco {facts.database}, e a conta {facts.role} não pode"
                " instalá-lo"
            ]
    return []


def for_the_administrator(f: Facts) -> str:
    """The SQL that makes this database fit, whole; empty where SQL does not help."""
    if f.major < OLDEST or f.standby or f.read_only or f.encoding != "UTF8":
        return ""
    role, database = (_quoted(name) for name in (f.role, f.database))
    postgis = _quoted(f.postgis or "extensions")
    lines = ["", f"-- Quem administra o servidor executa uma vez, conectado ao banco {database}:"]
    if not f.postgis:
        lines.append(f"create schema if not exists {postgis};")
        lines.append(f"create extension if not exists postgis schema {postgis};")
    lines.append(f"grant usage on schema {postgis} to {role};")
    lines.append(f"grant create on database {database} to {role};")
    return "\n".join(lines)


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string(None)


# Poolers ------------------------------------------------------------------------------------------


def refuse_transaction_pooler(conn: psycopg.Connection) -> None:
    """Pass a server that keeps a connection's backend; ``conn`` is in autocommit.

    A pooler has a key of its own where the server would say its backend's number: only then is
    it tried out, by a second connection that keeps a backend busy.

    Raises:
        DatabaseFailure: this connection changed its backend, so settings and locks do not last.
    """
    mine = _backend(conn)
    if mine != conn.info.backend_pid and _shares_backends(conn, mine):
        place = f"{conn.info.host}:{conn.info.port}"
        conn.close()
        raise DatabaseFailure(
            f"{place} é um pooler em modo de transação (PgBouncer,"
            " Supavisor…): duas conexões dividem um processo do servidor, e travas e ajustes não"
            " duram. Nada foi mudado. Use em DATABASE_URL o endereço direto do servidor, ou o do"
            " pooler em modo de sessão (em geral a mesma máquina na porta 5432, e não 6543 ou 6432)"
        )


def _shares_backends(conn: psycopg.Connection, mine: int) -> bool:
    name = "intel_lead prova"
    try:
        with psycopg.connect("", connect_timeout=10, fallback_application_name=name) as other:
            theirs = _backend(other)  # in a transaction: its backend is its own until it ends
            return theirs == mine or any(_backend(conn) != mine for _ in range(TRIES))
    except psycopg.errors.ProtocolViolation:  # not even a transaction lasts: statement mode
        return True


def _backend(conn: psycopg.Connection) -> int:
    return conn.execute("select pg_backend_pid()", prepare=False).fetchone()[0]
