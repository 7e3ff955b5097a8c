"""Dagster's jobs of which the newest finished run failed, from Dagster's own tables."""

import json
from collections.abc import Iterator

import psycopg
from psycopg import sql

from health.finding import Finding, Severity
from server import place, run_states

_NEWEST = """
    select distinct on (pipeline_name) pipeline_name, run_id, status
    from {runs}
    where status in ('SUCCESS', 'FAILURE') and update_timestamp > now() - interval '30 days'
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
            failed = [(job, run) for job, run, status in newest if status == "FAILURE"]
            why = {run: _reason(dagster, names, run) for _, run in failed}
    except (psycopg.errors.UndefinedTable, psycopg.OperationalError):
        return
    for job, run in failed:
        name = run_states.job_in_words(job)
        yield Finding(
            f"execucao:{name}",
            Severity.ERROR,
            f"a última execução de {name} no Dagster falhou",
            why[run],
            f"make dev, e na página /runs/{run}: ler e executar de novo",
        )


def _reason(dagster: psycopg.Connection, names: dict[str, sql.Identifier], run: str) -> str:
    """The first line of the error that the run ended with, where its record says one."""
    row = dagster.execute(sql.SQL(_WHY).format(**names), [run]).fetchone()
    try:
        data = json.loads(row[0])["dagster_event"]["event_specific_data"]
        error = data.get("error") or {}
        said = (error.get("cause") or error)["message"]
    except (KeyError, TypeError, ValueError, AttributeError):
        return ""
    return " ".join(said.split())[:500]
