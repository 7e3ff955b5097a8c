"""What is measured on: a cluster with production's settings, geodatabases, databases, dbt, loader.

Belongs here: making and finding those. Not here: timing (measure.py), figures (the groups).
Builds happen in a database that is always called ``lead``, as dbt parses the project again when
that name changes; others are kept under other names and renamed to it for the time.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from bench.measure import Run, child, say
from dagster_pipeline.manifest import OF_A_SAFRA
from loaders import environment
from server import clusters, settings

CLONE = Path(environment.CLONE)
PYTHON = sys.executable
DBT = Path(sys.executable).with_name("dbt")
LIVE = "lead"
EMPTY, READY = "vazio", "modelo"
"""Templates: initialised by the loader; and with domains, views and rollups built as well."""

DISTRIBUIDORA, ANO = 401, 2024
SAFRA = f"{DISTRIBUIDORA}-{ANO}"


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where a run works and how often it measures.

    Attributes:
        folder: holds geodatabases, logs, results and, in ``postgres``, the cluster.
        rounds: how often each way is run.
        others: safras that a warehouse with many holds.
        leads: consumer units of the safra added to them.
    """

    folder: Path
    cluster: clusters.Cluster
    rounds: int
    others: int
    leads: int

    @property
    def env(self) -> dict[str, str]:
        """The environment of every process that is measured."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "DBT_", "DAGSTER"))}
        clean.pop("DATABASE_URL", None)
        env = clean | self.cluster.env(database=LIVE)
        env |= {
            "PYTHONPATH": str(CLONE),
            "DAGSTER_HOME": str(self.folder / "dagster"),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        environment.fill(env)
        return env

    # Processes ------------------------------------------------------------------------------------

    def run(self, name: str, *command: str | Path, **env: str) -> Run:
        """Run a process that finds the live database; ``name`` is its log's."""
        log = self.folder / "logs" / f"{name}.log"
        return child(command, self.env | env, log=log)

    def python(self, name: str, *arguments: str | Path, **env: str) -> Run:
        """Run ``python -m …``."""
        return self.run(name, PYTHON, "-m", *arguments, **env)

    def land(self, *paths: Path) -> Run:
        """Land geodatabases in the live database."""
        return self.python("loader", "loaders", "bdgd", *paths)

    def build(self, safra: str = "") -> Run:
        """Build, test and publish one safra or all that are pending, rollups included."""
        command = (DBT, "build", "--exclude-resource-type", "unit_test")
        return self.run("dbt", *command, DBT_SAFRA=safra)

    def publish(self, safra: str) -> Run:
        """Build, test and publish one safra, as Dagster's job `safra` does (defs/dbt.py)."""
        command = (DBT, "build", "--select", OF_A_SAFRA, "--indirect-selection", "buildable")
        command += ("--exclude-resource-type", "unit_test")
        return self.run("dbt", *command, DBT_SAFRA=safra)

    def nodes(self) -> dict[str, float]:
        """Seconds of each node of the last dbt command, by unique id."""
        found = json.loads((self.folder / "target" / "run_results.json").read_text())
        return {r["unique_id"]: r["execution_time"] for r in found["results"]}

    # Files ----------------------------------------------------------------------------------------

    def file(self, ucs: int, *, distribuidora: int = DISTRIBUIDORA) -> Path:
        """A synthetic geodatabase, made the first time: as a folder, for ogr2ogr's sake."""
        path = self.folder / "arquivos" / f"sintetico_{distribuidora}_{ANO}_{ucs}.gdb"
        if not path.exists():
            say(f"making {path.name} …")
            options = ["--ucs", str(ucs), "--distribuidora", str(distribuidora)]
            self.python("sintetico", "loaders", "sintetico", path, *options)
        return path

    # Databases ------------------------------------------------------------------------------------

    def connect(self, database: str = LIVE) -> psycopg.Connection:
        """A connection in autocommit."""
        return psycopg.connect(**_as_conninfo(self.cluster.env(database=database)), autocommit=True)

    def exists(self, database: str) -> bool:
        """Whether a database is there."""
        with self.connect("postgres") as conn:
            return _exists(conn, database)

    def fresh(self, template: str) -> None:
        """Make the live database a copy of a template, all of it on disk."""
        self._ensure(template)
        with self.connect("postgres") as conn:
            _drop(conn, LIVE)
            _copy(conn, template, LIVE)
            conn.execute("checkpoint")

    def keep(self, name: str) -> None:
        """Call the live database something else."""
        with self.connect("postgres") as conn:
            _drop(conn, name)
            _rename(conn, LIVE, name)

    @contextmanager
    def live(self, name: str) -> Iterator[None]:
        """Make a kept database the live one for a while."""
        with self.connect("postgres") as conn:
            _drop(conn, LIVE)
            _rename(conn, name, LIVE)
            conn.execute("checkpoint")
            try:
                yield
            finally:
                _rename(conn, LIVE, name)

    def built(self, ucs: int) -> str:
        """Name of a database that holds one published safra of this size; built if missing."""
        name = f"armazem_{ucs}"
        if not self.exists(name):
            file = self.file(ucs)
            say(f"building a warehouse of {ucs:,} UCs …")
            self.fresh(READY)
            self.land(file)
            self.python("judge", "loaders", "julgar")
            self.build(SAFRA)
            self.keep(name)
            with self.connect(name) as conn:
                conn.execute("vacuum analyze")
        return name

    def _ensure(self, template: str) -> None:
        if self.exists(template):
            return
        say(f"making the template {template} …")
        with self.connect("postgres") as conn:
            _drop(conn, LIVE)
            if template == EMPTY:
                conn.execute(sql.SQL("create database {}").format(sql.Identifier(LIVE)))
            else:
                self._ensure(EMPTY)
                _drop(conn, LIVE)
                _copy(conn, EMPTY, LIVE)
        if template == EMPTY:
            self.python("init", "loaders", "init")
        else:
            self.build()
        self.keep(template)


def _as_conninfo(env: dict[str, str]) -> dict[str, str]:
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
    return {names[k]: v for k, v in env.items() if k in names} | {"dbname": env["PGDATABASE"]}


def _exists(conn: psycopg.Connection, name: str) -> bool:
    found = conn.execute("select from pg_database where datname = %s", [name])
    return found.fetchone() is not None


def _drop(conn: psycopg.Connection, name: str) -> None:
    conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _rename(conn: psycopg.Connection, old: str, new: str) -> None:
    _end_sessions(conn, old)
    conn.execute(
        sql.SQL("alter database {} rename to {}").format(sql.Identifier(old), sql.Identifier(new))
    )


def _copy(conn: psycopg.Connection, template: str, name: str) -> None:
    _end_sessions(conn, template)
    conn.execute(
        sql.SQL("create database {} template {} strategy file_copy").format(
            sql.Identifier(name), sql.Identifier(template)
        )
    )


def _end_sessions(conn: psycopg.Connection, name: str) -> None:
    """Autovacuum, and Dagster's last connections, would refuse a rename or a copy."""
    others = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s"
    while conn.execute(others, [name]).fetchone():
        time.sleep(0.1)


@contextmanager
def cluster(folder: Path) -> Iterator[clusters.Cluster]:
    """A cluster of this run's own, as production has it, fsync included; deleted at the end.

    Raises:
        postgres.PostgresError: no PostgreSQL here, or it does not start.
    """
    found = clusters.Cluster(
        folder=folder / "postgres", settings=settings.settings(memory_mb=settings.memory_mb())
    )
    clusters.stop(found, mode="immediate")
    if found.folder.exists():
        shutil.rmtree(found.folder)
    try:
        clusters.bring_up(found)
        yield found
    finally:
        clusters.stop(found, mode="immediate")
        shutil.rmtree(found.folder, ignore_errors=True)


def prepare(folder: Path) -> None:
    """Make the folders of a run."""
    for name in ("arquivos", "logs", "dagster", "target"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # root's server runs as `postgres`, which must get through
    shutil.copy(CLONE / "dagster.yaml", folder / "dagster")
