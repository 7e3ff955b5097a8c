"""Where Dagster's tables are: a database of their own, or a schema of the warehouse's.

Belongs here: finding the place. Not here: connections (dagster_pipeline/storage.py), making the
place (dagster_pipeline/preflight.py). Imports no Dagster: `make status` and backups ask too.
The clone's own server has a database for it. On a server of somebody else's one database does:
schema ``dagster`` in it. Versions before 2026-11-28 made a database ``dagster`` there too; where
one of them was at work it is used as long as the schema is not there. DAGSTER_PGDATABASE decides.
"""

import os
from dataclasses import dataclass

import psycopg

SCHEMA = "dagster"
DATABASE = "dagster"


@dataclass(frozen=True)
class Place:
    """A database and the schema in it."""

    database: str
    schema: str


def find(conn: psycopg.Connection) -> Place:
    """Where Dagster's tables are, or are to be made; ``conn`` is the warehouse's."""
    chosen = os.environ.get("DAGSTER_PGDATABASE")
    if chosen and chosen != conn.info.dbname:
        return Place(chosen, "public")
    there, worked_before, old = conn.execute(
        "select to_regnamespace(%s) is not null, to_regclass('controle.versao') is not null,"
        " exists (select from pg_database where datname = %s"
        " and has_database_privilege(oid, 'connect'))",
        [SCHEMA, DATABASE],
    ).fetchone()
    if not chosen and not there and worked_before and old:
        return Place(DATABASE, "public")
    return Place(conn.info.dbname, SCHEMA)
