"""The API's connections: pools by role, and the refusal of a database that does not fit the code.

Belongs here: pools, roles, app's version, the catalogue of marts. Not here: queries of any noun.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

import orjson
import psycopg
from psycopg import sql
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool

from loaders import search_path
from loaders.errors import DatabaseFailure

APP_VERSION = 4
"""The version of schema app that this code writes: its comment, set by loaders/schema_api.sql."""
READER, WRITER = "intel_api", "intel_app"
STATEMENT_S = 30
WAIT_S = 5
"""How long a request waits for a connection before it is told to come again."""

IDLE_S = 5
"""What has been used since is taken to be alive."""

_COLUMNS = """
    select c.relname, a.attname, format_type(a.atttypid, null),
        coalesce(col_description(c.oid, a.attnum), '')
    from pg_class as c
    inner join pg_attribute as a on c.oid = a.attrelid
    where c.relnamespace = 'marts'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
        and a.attnum > 0 and not a.attisdropped
    order by c.relname, a.attnum"""


@dataclass(frozen=True)
class Column:
    """A column of marts: its type as PostgreSQL spells it, its comment (the data dictionary)."""

    type: str
    description: str


Catalogue = dict[str, dict[str, Column]]
"""Relation of marts → its columns in order."""


@dataclass(frozen=True)
class Pools:
    """Connections by what they may do.

    Attributes:
        reading: role intel_api, read-only.
        landing: role intel_api, for readings and devices' settings.
        app: role intel_app.
    """

    reading: ConnectionPool
    landing: ConnectionPool
    app: ConnectionPool

    def open(self) -> None:
        """Open them; the first connections come in the background."""
        for pool in (self.reading, self.landing, self.app):
            pool.open()

    def close(self) -> None:
        """Close them."""
        for pool in (self.reading, self.landing, self.app):
            pool.close()


def pools(connections: int) -> Pools:
    """Closed pools on the database of PG*.

    Args:
        connections: the most of each pool.
    """
    return Pools(
        _pool("leitura", READER, connections, read_only=True),
        _pool("aicss", READER, max(2, connections // 4)),
        _pool("app", WRITER, connections),
    )


def _pool(name: str, role: str, most: int, *, read_only: bool = False) -> ConnectionPool:
    def configure(conn: psycopg.Connection) -> None:
        set_json_loads(orjson.loads, conn)
        act_as(conn, role, read_only=read_only)

    return ConnectionPool(
        "",
        kwargs={"autocommit": True, "application_name": f"intel_lead api {name}"},
        configure=configure,
        check=_check if name == "app" else None,
        min_size=1,
        max_size=most,
        timeout=WAIT_S,
        open=False,
        name=name,
    )


def _check(conn: psycopg.Connection) -> None:
    """Ask a connection whether it is alive, if it has not been used for a while.

    A question of its own before each of a request's two would be a third of what they cost.
    """
    now = monotonic()
    if now - getattr(conn, "used_at", 0) > IDLE_S:
        ConnectionPool.check_connection(conn)
    conn.used_at = now  # type: ignore[attr-defined]


def act_as(conn: psycopg.Connection, role: str, *, read_only: bool = False) -> None:
    """Have this connection work with a role's rights, whoever logged in, and with its limits."""
    postgis = search_path.postgis_schema(conn)
    schemas = ["marts", *([postgis] if postgis else [])]
    settings = {
        "statement_timeout": f"{STATEMENT_S}s",
        "idle_in_transaction_session_timeout": f"{STATEMENT_S}s",
        "search_path": ", ".join(schemas),
        "default_transaction_read_only": "on" if read_only else "off",
    }
    for setting, value in settings.items():
        conn.execute("select set_config(%s, %s, false)", [setting, value])
    conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))


@contextmanager
def connect_as(role: str) -> Iterator[psycopg.Connection]:
    """One connection in autocommit with a role's rights, for a command.

    Raises:
        DatabaseFailure: the database does not fit (see ``refuse``), or does not answer.
    """
    try:
        with psycopg.connect("", autocommit=True, connect_timeout=10) as conn:
            refuse(conn)
            act_as(conn, role)
            yield conn
    except psycopg.OperationalError as error:
        said = " ".join(str(error).split())
        raise DatabaseFailure(f"sem conexão com o PostgreSQL ({said}); rode `make db`") from error


def refuse(conn: psycopg.Connection) -> None:
    """Refuse a database in which this code cannot work.

    Raises:
        DatabaseFailure: schema app is older than the code, roles or marts are missing, or this
            login may not act as the roles; says what to type.
    """
    comment, there = conn.execute(
        "select coalesce(obj_description(to_regnamespace('app'), 'pg_namespace'), ''),"
        " to_regrole(%s) is not null and to_regrole(%s) is not null",
        [READER, WRITER],
    ).fetchone()
    number = int(comment.removeprefix("versão ") or 0) if comment.startswith("versão ") else 0
    if number < APP_VERSION:
        raise DatabaseFailure(
            f"o esquema app está na versão {number} e a API pede a {APP_VERSION}:"
            " o dono do banco digita `make roles`, que o completa"
        )
    if not there:
        raise DatabaseFailure(
            "faltam os papéis da API neste banco: o dono dele digita `make roles`"
        )
    (member,) = conn.execute(
        "select pg_has_role(session_user, %s, 'member')"
        " and pg_has_role(session_user, %s, 'member')",
        [READER, WRITER],
    ).fetchone()
    if not member:
        raise DatabaseFailure(
            f"esta conta não age como {READER} e {WRITER}: docs/api.md, A conta do banco"
        )
    if conn.execute("select to_regclass('marts.safra_publicada') is null").fetchone()[0]:
        raise DatabaseFailure("este banco não tem os marts ainda: rode `make run` antes da API")


def catalogue(conn: psycopg.Connection) -> Catalogue:
    """Every relation of marts with its columns, as they are now."""
    found: Catalogue = {}
    for relation, column, kind, text in conn.execute(_COLUMNS):
        found.setdefault(relation, {})[column] = Column(kind, text)
    return found
