"""``python -m server.retention``: what the API keeps of calls and sessions, and for how long.

Belongs here: the command, how many days. Not here: what goes (app.poda in loaders/schema_api.sql,
which takes no trail younger than thirty days), the clock (dagster_pipeline/defs/retention.py).
Exit: 0 done, 2 usage, 4 database.
"""

import os
import sys
from typing import Annotated

import psycopg
import typer

from loaders import connection as db
from loaders import usage
from loaders.errors import DatabaseFailure

AUDIT_DAYS, SESSION_DAYS = 365, 30
LEAST_DAYS = 30
"""A younger trail does not go, whoever asks."""

app = usage.App()


def prune(conn: psycopg.Connection, *, audit_days: int, session_days: int) -> dict[str, int]:
    """Delete what is older; table → rows.

    Args:
        conn: of the database's owner or a role that may execute app.poda.
        audit_days: calls stay so long, at least thirty days.
        session_days: sessions that ended, with their tokens, stay so long.

    Raises:
        psycopg.Error: app.poda refuses, or is missing: ``make roles``.
    """
    rows = conn.execute("select tabela, linhas from app.poda(%s, %s)", [audit_days, session_days])
    return dict(rows.fetchall())


@app.command(
    help="Apaga de app.auditoria, sessões e tentativas o que passou da guarda."
    " Saída: 0 feito, 2 uso, 4 banco."
)
def command(
    *,
    audit_days: Annotated[
        int, typer.Option("--auditoria", min=LEAST_DAYS, help="Dias que a auditoria fica.")
    ] = int(os.environ.get("INTEL_API_AUDIT_DAYS", AUDIT_DAYS)),
    session_days: Annotated[
        int, typer.Option("--sessoes", min=1, help="Dias que uma sessão encerrada fica.")
    ] = SESSION_DAYS,
) -> None:
    """Prune."""
    try:
        with db.connect() as conn:
            done = prune(conn, audit_days=audit_days, session_days=session_days)
    except (psycopg.Error, DatabaseFailure) as error:
        sys.stderr.write(f"guarda: {' '.join(str(error).split())}\n")
        raise typer.Exit(4) from None
    for table, rows in done.items():
        typer.echo(f"{table}: {rows} linhas")


if __name__ == "__main__":
    usage.run(app)
