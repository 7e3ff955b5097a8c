"""What assets are given: dbt and the database.

Belongs here: connections, how dbt is called, the lock that keeps dbt builds apart. Not here: which
models are built (dbt.py), which files land (raw.py).
"""

import atexit
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from dagster_dbt import DbtCliInvocation, DbtCliResource
from packaging.version import Version

from dagster_pipeline import manifest
from loaders import aicss, conexao

RUNS_KEPT = 200
"""Runs whose captured output stays on disk; what Dagster's pages list is in its database."""

RUN_LOCK = 0x52554E
"""'RUN': first key of the advisory lock that a run's process holds; the second is the run's id."""
GRACE_S = 5
"""A run that has just started may not hold its lock yet."""


class Dbt(DbtCliResource):
    """The dbt command; serialise calls by `sole_dbt`."""

    @cached_property
    def _cli_version(self) -> Version:
        """What is installed; asking dbt takes two seconds and the network."""
        return Version(metadata.version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:
        """None: two seconds for column metadata that we do not fetch."""

    @contextmanager
    def build(
        self,
        args: Sequence[str],
        *,
        environment: Mapping[str, str],
        **options: Any,  # noqa: ANN401
    ) -> Iterator[DbtCliInvocation]:
        """A build in the one folder that builds write to, from the project as parsed.

        Args:
            args: after ``build``; unit tests judge the SQL, not the data, and are left out.
            environment: variables for dbt: unlike ``--vars`` they cost no new parse.
            options: as ``cli`` takes them.
        """
        target_path = manifest.target() / "build"
        variables = {
            **environment,
            **manifest.alone(),
            "DBT_TARGET_PATH": str(manifest.parsed()),
        }
        with set_environment(variables):
            build = self.cli(
                ["build", *args, "--exclude", "resource_type:unit_test"],
                target_path=target_path,
                **options,
            )
        # Interrupted, Dagster leaves this generator where it is, and dbt running.
        atexit.register(build.process.terminate)
        try:
            yield build
        finally:
            build.process.terminate()
            build.process.wait()
            atexit.unregister(build.process.terminate)


class Banco(dg.ConfigurableResource):
    """The warehouse's database, by libpq's PG* variables."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Banco"]:
        """Hold the run's lock: it dies with the process, and others then know (`end_dead_runs`)."""
        with closing(conexao.conectar()) as conn:
            if context.run_id:
                conn.execute(
                    "select pg_advisory_lock_shared(%s, hashtext(%s))", [RUN_LOCK, context.run_id]
                )
            yield self

    @contextmanager
    def conectar(self) -> Iterator[psycopg.Connection]:
        """A connection in autocommit, with the objects that must exist before dbt runs."""
        with closing(conexao.conectar()) as conn:
            conexao.preparar(conn)
            aicss.preparar(conn)
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
        if time.time() - (record.start_time or record.create_timestamp.timestamp()) < GRACE_S:
            continue
        lock = [RUN_LOCK, run.run_id]
        if conn.execute("select pg_try_advisory_lock(%s, hashtext(%s))", lock).fetchone()[0]:
            conn.execute("select pg_advisory_unlock(%s, hashtext(%s))", lock)
            instance.report_run_failed(run, "its process was killed: run it again")
            dead.append(run.run_id)
    return dead


def dbt() -> Dbt:
    """Dbt on this clone's project, from this python's environment."""
    return Dbt(
        project_dir=manifest.PROJECT, profiles_dir=manifest.CLONE, dbt_executable=manifest.ALONE
    )


@contextmanager
def sole_dbt(conn: psycopg.Connection, log: dg.DagsterLogManager) -> Iterator[None]:
    """Hold the lock that one dbt build at a time has, whichever process runs it."""
    if not conn.execute(f"select pg_try_advisory_lock({manifest.LOCK})").fetchone()[0]:
        log.info("another dbt build is running: waiting for it")
        conn.execute(f"select pg_advisory_lock({manifest.LOCK})")
    try:
        yield
    finally:
        conn.execute(f"select pg_advisory_unlock({manifest.LOCK})")


@contextmanager
def set_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Variables of the processes started inside: dbt's resource has no other way to take them."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def prune(keep: int = RUNS_KEPT) -> None:
    """Delete the oldest runs' captured output: Dagster never does."""
    storage = Path(os.environ["DAGSTER_HOME"]) / "storage"
    if not storage.is_dir():
        return
    runs = [folder for folder in storage.iterdir() if (folder / "compute_logs").is_dir()]
    for folder in sorted(runs, key=lambda path: path.stat().st_mtime, reverse=True)[keep:]:
        shutil.rmtree(folder, ignore_errors=True)
