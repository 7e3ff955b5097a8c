"""What steps are given: the database. And what Dagster leaves behind: dead runs, old output.

Not here: which models are built (dbt.py), which files land (raw.py).
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import dagster as dg
import psycopg

from dagster_pipeline import batch
from loaders import connection as db
from server import run_states

RUNS_KEPT = 200
"""Runs whose captured output stays on disk; what Dagster's pages list is in its database."""


class Database(dg.ConfigurableResource):
    """The warehouse's database, by libpq's PG* variables."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Database"]:
        """Hold the run's lock: it dies with the process, and others then know (`end_dead_runs`)."""
        with closing(db.connect()) as conn:
            if context.run_id:
                lock = [run_states.LOCK, context.run_id]
                conn.execute("select pg_advisory_lock_shared(%s, hashtext(%s))", lock)
            yield self

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection]:
        """A connection in autocommit, with the objects that must exist before dbt runs."""
        with closing(db.connect()) as conn:
            batch.prepare(conn)
            yield conn


def end_dead_runs(instance: dg.DagsterInstance, conn: psycopg.Connection) -> list[str]:
    """Mark runs as failed whose process is gone; returns their ids.

    Dagster cannot tell for itself: a run whose process was killed counts as running for ever, and
    two of them fill the queue.
    """
    dead = []
    running = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING])
    for record in instance.get_run_records(running):
        run = record.dagster_run
        since = record.start_time or record.create_timestamp.timestamp()
        if run_states.dead(conn, run.run_id, run.status.value, since):
            instance.report_run_failed(run, run_states.DIED)
            dead.append(run.run_id)
    return dead


def prune(keep: int = RUNS_KEPT) -> None:
    """Delete the oldest runs' captured output: Dagster never does."""
    storage = Path(os.environ["DAGSTER_HOME"]) / "storage"
    if not storage.is_dir():
        return
    runs = [folder for folder in storage.iterdir() if (folder / "compute_logs").is_dir()]
    for folder in sorted(runs, key=lambda path: path.stat().st_mtime, reverse=True)[keep:]:
        shutil.rmtree(folder, ignore_errors=True)
