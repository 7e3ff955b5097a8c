"""Where a name without its schema is found: PostGIS's schema, and what our roles get on connecting.

Belongs here: search_path of the warehouse's owner and of readers' roles, in this database alone.
Not here: the roles (server/roles.py). Our own SQL names every schema and needs none of this: it is
for who types a query, the project's documents' for instance.
"""

import logging
import re
from collections.abc import Iterator

import psycopg
from psycopg import sql

READERS = {
    "analista": ("intel_lead", "marts", "public"),
    "bi_leitor": ("marts", "public"),
    "gestor_alerta": ("marts", "app", "public"),
    "intel_api": ("marts", "public"),
}
OURS_UNTIL_2026_11_28 = '"$user", public, intel_lead, marts'
"""What earlier versions set for the whole database, over whatever stood there."""

POSTGIS = """
    select n.nspname from pg_extension as e inner join pg_namespace as n on e.extnamespace = n.oid
    where e.extname = 'postgis'"""

# What a new session gets, by PostgreSQL's own order; null where nobody said anything.
SET = """
    with here as (
        select setdatabase, setrole, substr(setting, 13) as path
        from pg_db_role_setting, unnest(setconfig) as setting
        where setting like 'search\\_path=%%'
            and setdatabase in (0, (select oid from pg_database where datname = current_database()))
    )
    select
        r.rolname,
        (select path from here where setrole = r.oid and setdatabase <> 0) as of_both,
        (select path from here where setrole = r.oid and setdatabase = 0) as of_role,
        (select path from here where setrole = 0 and setdatabase <> 0) as of_database,
        (select case when source = 'configuration file' then reset_val else boot_val end
            from pg_settings where name = 'search_path') as of_server
    from pg_roles as r where r.rolname = any(%s)"""

OWNER = """
    select current_user where current_user = (
            select datdba::regrole::text from pg_database where datname = current_database()
        ) or current_user = (
            select nspowner::regrole::text from pg_namespace where nspname = 'controle'
        )"""

log = logging.getLogger(__name__)


def postgis_schema(conn: psycopg.Connection) -> str | None:
    """The schema that PostGIS lives in, None where it is not installed."""
    found = conn.execute(POSTGIS).fetchone()
    return found[0] if found else None


def complete(conn: psycopg.Connection) -> None:
    """Give our roles what they lack; whatever else somebody has set stays as it is.

    What this login may not set for a role is said, with the command.
    """
    if not (any(_lacking(conn)) or _is_left_over(conn)):
        return
    with conn.transaction():
        conn.execute("select pg_advisory_xact_lock(hashtextextended('intel_lead esquema', 0))")
        if _is_left_over(conn):
            database = sql.Identifier(conn.info.dbname)
            conn.execute(sql.SQL("alter database {} reset search_path").format(database))
        for role, path in list(_lacking(conn)):
            statement = sql.SQL("alter role {} in database {} set search_path = {}").format(
                sql.Identifier(role), sql.Identifier(conn.info.dbname), sql.SQL(path)
            )
            try:
                with conn.transaction():
                    conn.execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                log.warning(
                    "%s não acha o PostGIS pelo nome; quem administra o servidor digita: %s;",
                    *(role, statement.as_string(conn)),
                )


def _lacking(conn: psycopg.Connection) -> Iterator[tuple[str, str]]:
    """Role → the search_path that it should have in this database and has not, as SQL."""
    postgis = postgis_schema(conn)
    of_postgis = [postgis] if postgis and postgis != "public" else []
    owner = [name for (name,) in conn.execute(OWNER)]
    for role, both, of_role, of_database, of_server in conn.execute(SET, [[*READERS, *owner]]):
        if role in READERS:
            there, wanted = both or of_role or "", [*READERS[role], *of_postgis]
            if _names(there) != wanted:
                yield role, ", ".join(map(_quoted, wanted))
        elif both is None:  # else it is somebody's choice, or ours from before
            there = of_role or of_database or of_server
            wanted = ["intel_lead", "marts", *of_postgis]
            more = [_quoted(name) for name in wanted if name not in _names(there)]
            if more:
                yield role, ", ".join([*([there] if there.strip('" ') else []), *more])


def _is_left_over(conn: psycopg.Connection) -> bool:
    """Whether the database has the value that earlier versions gave it and we may take back."""
    query = (
        "select exists (select from pg_db_role_setting as s"
        " inner join pg_database as d on s.setdatabase = d.oid"
        " where d.datname = current_database() and s.setrole = 0"
        " and 'search_path=' || %s = any(s.setconfig)"
        " and pg_has_role(current_user, d.datdba, 'usage'))"
    )
    return conn.execute(query, [OURS_UNTIL_2026_11_28]).fetchone()[0]


def _names(path: str) -> list[str]:
    """The schemas of a search_path as the catalogue keeps it."""
    found = re.findall(r'"((?:[^"]|"")*)"|([^\s,"]+)', path)
    return [quoted.replace('""', '"') or plain for quoted, plain in found]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
