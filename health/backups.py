"""Backups: none, old, or never restored. Not here: making one, trying one (server/)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg

from health.finding import Finding, Severity
from server import backup, drill

OLD, UNTRIED = timedelta(days=2), timedelta(days=35)


def ages() -> tuple[timedelta | None, timedelta | None]:
    """Since the newest backup was made, and since one was last restored; None: never."""
    now = datetime.now(UTC)
    made, tried = backup.made(), drill.last()
    newest = now - datetime.fromisoformat(made[0].facts["created_at"]) if made else None
    return newest, now - tried.at if tried else None


def found(conn: psycopg.Connection) -> Iterator[Finding]:
    """At most one: an untried backup is no worry where there is none. An empty warehouse: none."""
    if not conn.execute("select exists (select from controle.safra_importada)").fetchone()[0]:
        return
    made, tried = ages()
    if made is None or made > OLD:
        what = "nenhuma cópia de segurança" if made is None else _old(made)
        reason = "o Dagster a faz toda madrugada, enquanto make dev está aberto"
        severity = Severity.NOTICE if made is None else Severity.ERROR
        yield Finding("copia:idade", severity, what, reason, "make backup")
    elif tried is None or tried > UNTRIED:
        when = "nunca" if tried is None else f"há {tried.days} dias"
        yield Finding(
            "copia:restauro",
            Severity.NOTICE,
            f"uma cópia de segurança foi restaurada, para ver se serve, {when}",
            "uma cópia que nunca se restaurou não se sabe se serve",
            "make drill",
        )


def _old(age: timedelta) -> str:
    return f"a última cópia de segurança é de há {age.days} dias"
