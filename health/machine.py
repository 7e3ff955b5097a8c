"""The machine and the server: disk, and sessions that keep others waiting."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from health.finding import Finding, Severity
from loaders.environment import CLONE

LITTLE, NEARLY_NONE = 0.15, 0.05
"""Share of the disk that is free."""

WAITING, IDLE = timedelta(minutes=5), timedelta(minutes=15)

_WAITING = """
    select w.pid, extract(epoch from now() - w.state_change)::integer,
        array_to_string(pg_blocking_pids(w.pid), ', ')
    from pg_stat_activity as w
    where w.datname = current_database() and w.wait_event_type = 'Lock'
        and w.wait_event <> 'advisory' and now() - w.state_change > %s
    order by w.state_change limit 1"""
_IDLE = """
    select pid, usename, extract(epoch from now() - xact_start)::integer
    from pg_stat_activity
    where datname = current_database() and state like 'idle in transaction%%'
        and now() - xact_start > %s
    order by xact_start limit 1"""


@dataclass(frozen=True)
class Disk:
    """Bytes where this clone lies."""

    free: int
    total: int

    @property
    def share(self) -> float:
        """Free of all, 0 to 1."""
        return self.free / self.total


def disk() -> Disk:
    """Of the disk where this clone, its backups and its own database lie."""
    usage = shutil.disk_usage(CLONE)
    return Disk(usage.free, usage.total)


def found(conn: psycopg.Connection) -> Iterator[Finding]:
    """Of the disk, of waiting, of idling: one at most each."""
    left = disk()
    if left.share < LITTLE:
        severity = Severity.ERROR if left.share < NEARLY_NONE else Severity.NOTICE
        what = f"restam {left.free / 1e9:.1f} GB no disco, {100 * left.share:.0f} %"
        command = "apagar cópias velhas (.local/backups), relatórios, arquivos já aterrissados"
        yield Finding("disco", severity, what, str(CLONE), command)
    if row := conn.execute(_WAITING, [WAITING]).fetchone():
        pid, seconds, blockers = row
        what = f"a sessão {pid} espera por uma trava há {seconds // 60} min"
        command = f"select pg_terminate_backend({blockers}), se {blockers} não deve estar ali"
        yield Finding("trava", Severity.ERROR, what, f"quem a tem: {blockers}", command)
    if row := conn.execute(_IDLE, [IDLE]).fetchone():
        pid, user, seconds = row
        what = f"a sessão {pid}, de {user}, está parada no meio de uma transação"
        reason = f"há {seconds // 60} min: uma safra publicada depois dela, ela a vê vazia"
        command = f"select pg_terminate_backend({pid})"
        yield Finding("transacao_parada", Severity.NOTICE, what, reason, command)
