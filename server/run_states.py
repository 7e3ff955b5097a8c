"""A Dagster run's job and state in a person's word: of `make status`, `make health`, the API.

Belongs here: that, and whether a run's process lives. Not here: asking Dagster
(api/orchestrator.py, dagster_pipeline/page.py).
"""

import time

import psycopg

LOCK = 0x52554E
"""'RUN': first key of the advisory lock that a run's process holds in the warehouse's database; the
second is the hash of the run's id."""

GRACE_S = 5
"""A run that has just started may not hold its lock yet."""
NOTED = "de_arquivos_e_safras"
"""Metadata of a failed run: all that went wrong stands with its file or safra."""
DIED = "o processo desta execução morreu; nada ficou pela metade, execute de novo"

_WORDS = {
    "SUCCESS": "feita",
    "FAILURE": "falhou",
    "CANCELED": "cancelada",
    "CANCELING": "parando",
    "STARTED": "em andamento",
    "STARTING": "em andamento",
    "QUEUED": "na fila",
}


def in_words(state: str) -> str:
    """``SUCCESS`` is ``feita``; one that is not known is said as it came."""
    return _WORDS.get(state, state.lower())


def job_in_words(job: str) -> str:
    """``safra`` of a build that was asked for in the page; another job by its name."""
    return "safra" if job.startswith("__ASSET_JOB") else job


def dead(conn: psycopg.Connection, run: str, state: str, since: float) -> bool:
    """Whether a run that counts as under way has no process any more: nobody holds its lock.

    Args:
        conn: of the warehouse's database.
        run: its id.
        state: Dagster's.
        since: when it started; seconds since 1970.
    """
    if state not in ("STARTED", "CANCELING") or time.time() - since < GRACE_S:
        return False
    (held,) = conn.execute(
        "select exists (select from pg_locks where locktype = 'advisory' and classid = %s"
        " and objid::bigint = hashtext(%s)::bigint & 4294967295 and granted"
        " and database = (select oid from pg_database where datname = current_database()))",
        [LOCK, run],
    ).fetchone()
    return not held
