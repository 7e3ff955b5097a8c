"""Schema app's tables: made and upgraded by the owner, touched by no build.

Belongs here: running tables.sql where it changed. Not here: what is in the tables.
"""

from hashlib import md5
from importlib import resources

import psycopg
from psycopg import sql

from loaders.errors import DatabaseFailure


def prepare(conn: psycopg.Connection) -> None:
    """Create what is missing; no DDL, and no right to it needed, when nothing changed.

    Raises:
        DatabaseFailure: this login may not make them.
    """
    ddl = resources.files("alerts").joinpath("tables.sql").read_text(encoding="utf-8")
    version = f"alertas {md5(ddl.encode(), usedforsecurity=False).hexdigest()}"
    if _version(conn) == version:
        return
    try:
        with conn.transaction():
            conn.execute("select pg_advisory_xact_lock(hashtextextended('intel_lead esquema', 0))")
            conn.execute(ddl)
            conn.execute(sql.SQL("comment on table app.regra_padrao is {}").format(version))
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseFailure(
            f"o esquema app falta ou é de outra versão, e esta conta não o muda ({error}): o dono"
            " do banco digita make roles"
        ) from None


def _version(conn: psycopg.Connection) -> str | None:
    query = "select obj_description(to_regclass('app.regra_padrao'), 'pg_class')"
    return conn.execute(query).fetchone()[0]
