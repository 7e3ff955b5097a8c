"""What ``make db`` does on a server of somebody else's: says what it lacks, makes Dagster's place.

Belongs here: that command. Not here: the checks (loaders/server_check.py), a server of ours
(server/postgres.py). ``python -m dagster_pipeline.preflight``; exit 0 done, 4 database.
"""

import sys
from contextlib import closing

import psycopg
from psycopg import sql

from loaders import connection as db
from loaders import server_check
from loaders.errors import DatabaseFailure, LoadError
from server import place


def make_place(conn: psycopg.Connection) -> None:
    """Make the schema or the database for Dagster's tables, if it is not there.

    Raises:
        DatabaseFailure: we may not; says the SQL for the administrator.
    """
    found = place.find(conn)
    if found.schema == place.SCHEMA:
        there = "select to_regnamespace(%s) is not null"
        name = found.schema
        make = sql.SQL("create schema {}").format(sql.Identifier(name))
        asked = sql.SQL("create schema {} authorization {}")
    else:
        there = "select exists (select from pg_database where datname = %s)"
        name = found.database
        make = sql.SQL("create database {}").format(sql.Identifier(name))
        asked = sql.SQL("create database {} owner {}")
    if conn.execute(there, [name]).fetchone()[0]:
        return
    try:
        conn.execute(make)
    except psycopg.errors.InsufficientPrivilege:
        command = asked.format(sql.Identifier(name), sql.Identifier(conn.info.user))
        raise DatabaseFailure(
            f"a conta {conn.info.user} não pode criar o lugar das execuções do Dagster; nada foi"
            f" mudado\n-- Quem administra o servidor executa uma vez, conectado ao banco"
            f' "{conn.info.dbname}":\n{command.as_string()};'
        ) from None


def main() -> int:
    """Check the server, say what there is to say; returns the exit code."""
    try:
        with closing(db.connect()) as conn:
            facts = server_check.refuse(conn)
            make_place(conn)
    except (LoadError, psycopg.Error) as error:
        print(f"falhou: {error}", file=sys.stderr)
        return DatabaseFailure.code
    for warning in server_check.warnings(facts):
        print(f"atenção: {warning}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
