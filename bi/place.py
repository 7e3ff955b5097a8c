"""Where Superset keeps its own tables, and as whom it reads the warehouse.

Belongs here: database and role ``superset``, the secrets of this clone's Superset, bi_leitor's
password. Not here: what role bi_leitor may read (server/roles.py).
Secrets lie in ``.local/bi/segredos.env``, mode 600; BI_LEITOR_PASSWORD goes first, where it is set.
"""

import os
import secrets
from pathlib import Path

import psycopg
from psycopg import sql

from loaders import environment
from loaders.errors import DatabaseFailure
from server import roles
from server.clusters import write_private

FOLDER = Path(environment.CLONE) / ".local" / "bi"
SECRETS = FOLDER / "segredos.env"
OWNER = DATABASE = "superset"
READER = "bi_leitor"
READER_IS = """
select
    exists (
        select from pg_roles as r inner join pg_namespace as n on n.nspname = 'marts'
        where r.rolname = %(role)s and has_schema_privilege(r.oid, n.oid, 'usage')
    ),
    exists (select from pg_roles where rolname = %(role)s and rolcanlogin)
"""
"""Whether it reads marts, whether it can log in."""


def kept() -> dict[str, str]:
    """The secrets, made on first use."""
    there = environment.read_file(str(SECRETS))
    made = {name: secrets.token_hex(32) for name in ("SUPERSET_SECRET_KEY", "SUPERSET_PASSWORD")}
    if not there.keys() >= made.keys():
        there = made | there
        _keep(there)
    return there


def _keep(values: dict[str, str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_private(SECRETS, "".join(f"{name}={value}\n" for name, value in values.items()))


def address(user: str, password: str | None, database: str) -> str:
    """SQLAlchemy's address of a database on the warehouse's server."""
    env = {**os.environ, "PGUSER": user, "PGPASSWORD": password or "", "PGDATABASE": database}
    return environment.to_url(env).replace("postgresql://", "postgresql+psycopg2://", 1)


def make_database(conn: psycopg.Connection, password: str) -> None:
    """Make role and database ``superset`` where they are missing.

    Raises:
        DatabaseFailure: we may not; says the SQL for the administrator.
    """
    names = sql.Identifier(OWNER), sql.Identifier(DATABASE)
    try:
        if conn.execute("select to_regrole(%s) is null", [OWNER]).fetchone()[0]:
            conn.execute(sql.SQL("create role {} login").format(names[0]))
        hashed = conn.pgconn.encrypt_password(password.encode(), OWNER.encode(), b"scram-sha-256")
        conn.execute(sql.SQL("alter role {} password {}").format(names[0], hashed.decode()))
        there = "select exists (select from pg_database where datname = %s)"
        if not conn.execute(there, [DATABASE]).fetchone()[0]:
            conn.execute(sql.SQL("create database {} owner {}").format(names[1], names[0]))
            conn.execute(sql.SQL("revoke connect on database {} from public").format(names[1]))
    except psycopg.errors.InsufficientPrivilege:
        raise DatabaseFailure(
            f"a conta {conn.info.user} não pode criar o papel e o banco {DATABASE}, onde o Superset"
            " guarda o que é dele; nada foi mudado. Rode make bi como quem administra o servidor"
            " (PGUSER, PGPASSWORD)"
        ) from None


def reader_password(conn: psycopg.Connection) -> str:
    """Bi_leitor's password: the environment's, ours of before, or one made for who has none.

    Raises:
        DatabaseFailure: somebody else gave it one, and nobody told us which.
    """
    given = environment.setting("BI_LEITOR_PASSWORD")
    known = given or kept().get("BI_LEITOR_PASSWORD")
    reads, has_password = conn.execute(READER_IS, {"role": READER}).fetchone()
    if not reads:
        roles.create_all(conn)
    if known and enters(known):
        return known
    if given or has_password:
        wrong = "BI_LEITOR_PASSWORD não é a dele" if known else "make bi não a sabe"
        raise DatabaseFailure(
            f"o papel {READER} já tem senha, e {wrong}. Digite BI_LEITOR_PASSWORD=… make bi com a"
            " senha que você lhe deu; ou dê-lhe outra: BI_LEITOR_PASSWORD=… make roles"
        )
    made = secrets.token_urlsafe(24)
    os.environ["BI_LEITOR_PASSWORD"] = made
    roles.make_role(conn, READER)
    _keep(kept() | {"BI_LEITOR_PASSWORD": made})
    return made


def enters(password: str) -> bool:
    """Whether bi_leitor gets in with it."""
    try:
        with psycopg.connect(user=READER, password=password, connect_timeout=10):
            return True
    except psycopg.OperationalError:
        return False


def lacking(conn: psycopg.Connection, relations: dict[str, set[str]]) -> dict[str, set[str]]:
    """Columns of marts that dbt has and this database has not, by relation."""
    rows = conn.execute(
        "select c.relname, array_agg(a.attname::text) from pg_class as c"
        " inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not attisdropped"
        " where c.relnamespace = to_regnamespace('marts') group by 1"
    ).fetchall()
    there = {name: {*columns} for name, columns in rows}
    found = {name: columns - there.get(name, set()) for name, columns in relations.items()}
    return {name: columns for name, columns in found.items() if columns}
