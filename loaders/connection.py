"""The loaders' connection to PostgreSQL and the objects that must exist before the first row.

Belongs here: connecting, running schema.sql. Not here: what is written (ledger.py, bdgd/).
"""

import os
from hashlib import md5
from importlib import resources

import psycopg
from psycopg import sql

from loaders import search_path, server_check
from loaders.bdgd.layers import RAW_TABLES
from loaders.bdgd.leaves import complete_safras, create_roots
from loaders.errors import DatabaseFailure
from loaders.open_data import tables

DDL = (
    "schema.sql",
    "schema_app.sql",
    "schema_api.sql",
    "companies/schema.sql",
    "catalogue/schema.sql",
)
"""What must be there before dbt runs, too: a source that dbt reads exists, be it empty."""

DATABASE_VERSION = 5
"""The newest step of macros/migracoes.sql that this code knows."""


def connect() -> psycopg.Connection:
    """Connect by libpq's PG* variables, in autocommit: every transaction is spelled out.

    INTEL_CARGA_ROLE names a role to act as, for a login that runs dbt too (docs/security.md).

    Raises:
        DatabaseFailure: no server answers, or it refuses; or a pooler that shares connections.
    """
    try:
        conn = psycopg.connect(
            "", autocommit=True, connect_timeout=10, fallback_application_name="intel_lead loaders"
        )
        server_check.refuse_transaction_pooler(conn)
        if role := os.environ.get("INTEL_CARGA_ROLE"):
            conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        return conn
    except psycopg.Error as error:
        said = " ".join(str(error).split())
        raise DatabaseFailure(
            f"sem conexão com o PostgreSQL ({said}); confira DATABASE_URL ou PG*, ou rode `make db`"
        ) from error


def lost(error: psycopg.Error) -> DatabaseFailure:
    """What to say of a connection that ended under us: the server fell, or was restarted."""
    said = " ".join(str(error.diag.message_primary or error).split())
    return DatabaseFailure(
        f"a conexão com o PostgreSQL caiu no meio ({said}): o servidor parou ou reiniciou. Nada"
        " ficou pela metade; o mesmo comando continua de onde parou"
    )


def prepare(conn: psycopg.Connection, *, force: bool = False) -> None:
    """Create schemas, enums, ledger, raw roots and schema app where they are missing.

    The version is kept as the comment of schema ``raw``, so that a load runs no DDL when
    nothing changed: even CREATE INDEX IF NOT EXISTS would wait for other loads' open transactions.

    Raises:
        DatabaseFailure: a newer version of the code made the database, or the server lacks
            something (server_check.py); nothing is changed.
    """
    server_check.refuse(conn)
    _refuse_newer_database(conn)
    files = (resources.files("loaders").joinpath(name) for name in DDL)
    ddl = "\n".join(file.read_text(encoding="utf-8") for file in files) + tables.ddl()
    definition = ddl + "".join(f"{c.table}{c.columns}" for c in RAW_TABLES)
    version = f"esquema {md5(definition.encode(), usedforsecurity=False).hexdigest()}"
    if force or _version(conn) != version:
        try:
            with conn.transaction():
                lock = "select pg_advisory_xact_lock(hashtextextended('intel_lead esquema', 0))"
                conn.execute(lock)
                conn.execute(ddl)
                create_roots(conn)
                complete_safras(conn)
                conn.execute(sql.SQL("comment on schema raw is {}").format(version))
        except psycopg.errors.InsufficientPrivilege as error:
            raise DatabaseFailure(
                "as tabelas faltam ou são de outra versão do código, e esta conta não as muda"
                f" ({error.diag.message_primary}): o dono do banco digita make roles"
            ) from None
    search_path.complete(conn)


def _refuse_newer_database(conn: psycopg.Connection) -> None:
    if conn.execute("select to_regclass('controle.versao') is null").fetchone()[0]:
        return
    (number,) = conn.execute("select max(numero) from controle.versao").fetchone()
    if (number or 0) > DATABASE_VERSION:
        raise DatabaseFailure(
            f"o banco está na versão {number} e este código só conhece até a {DATABASE_VERSION}:"
            " nada foi mudado. Atualize o clone (git pull) e rode de novo"
        )


def _version(conn: psycopg.Connection) -> str | None:
    row = conn.execute(
        "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = 'raw'"
    ).fetchone()
    return row[0] if row else None
