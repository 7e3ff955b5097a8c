"""Dagster's jobs of which the newest run failed or died, from Dagster's own tables.

Not here: a run that failed for a file or a safra alone, which files.py and safras.py have.
"""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql

from health.finding import Finding, Severity
from server import place, run_states

_NEWEST = """
    select distinct on (pipeline_name) pipeline_name, run_id, status,
        coalesce(start_time, 0)
    from {runs}
    where status in ('SUCCESS', 'FAILURE', 'STARTED', 'CANCELING')
        and update_timestamp > now() - interval '30 days'
    order by pipeline_name, id desc"""
_WHY = """
    select event from {events}
    where run_id = %s and dagster_event_type in ('STEP_FAILURE', 'PIPELINE_FAILURE')
    order by id limit 1"""


def found(conn: psycopg.Connection) -> Iterator[Finding]:
    """One finding for each job; none where Dagster has no tables yet."""
    where = place.find(conn)
    names = {
        name: sql.Identifier(where.schema, table)
        for name, table in (("runs", "runs"), ("events", "event_logs"))
    }
    try:
        with psycopg.connect(dbname=where.database, autocommit=True) as dagster:
            newest = dagster.execute(sql.SQL(_NEWEST).format(**names)).fetchall()
            failed = [run for _, run, status, _ in newest if status == "FAILURE"]
            why = {run: _reason(dagster, names, run) for run in failed}
    except (psycopg.errors.UndefinedTable, psycopg.OperationalError):
        return
    why |= {run: run_states.DIED for _, run, *state in newest if run_states.dead(conn, run, *state)}
    for job, run, *_ in newest:
        if why.get(run) is None:
            continue
        name = run_states.job_in_words(job)
        yield Finding(
            f"execucao:{name}",
            Severity.ERROR,
            f"a última execução de {name} no Dagster falhou",
            why[run],
            f"make dev, e na página /runs/{run}: ler e executar de novo",
        )


def _reason(dagster: psycopg.Connection, names: dict[str, sql.Identifier], run: str) -> str | None:
    """What a run ended with, in a person's words where it has them; None: it is told elsewhere."""
    row = dagster.execute(sql.SQL(_WHY).format(**names), [run]).fetchone()
    try:
        event = json.loads(row[0])["dagster_event"]
        data = event["event_specific_data"] or {}
        own = data.get("user_failure_data") or {}
        if _noted(own):
            return None
        error = data.get("error") or {}
        said = own.get("description") or (error.get("cause") or error).get("message")
        said = said or event.get("message") or ""
    except (KeyError, TypeError, ValueError, AttributeError):
        return ""
    return " ".join(said.split())[:500]


def _noted(own: dict[str, Any]) -> bool:
    entries = own.get("metadata_entries") or ()
    return any(e["label"] == run_states.NOTED and e["entry_data"]["value"] for e in entries)
