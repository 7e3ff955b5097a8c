"""Fixtures that tests share: a PostgreSQL/PostGIS of the test run's own, and empty databases on it.

Not here: data and helpers of one room; they stand in that room's test module.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from loaders import environment
from server import clusters

CLONE = Path(__file__).resolve().parent.parent
NUMBERS = itertools.count(1)

# How long an example takes says something of the machine, not of what is claimed.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def no_user_database() -> Iterator[pytest.MonkeyPatch]:
    """No test and no process that it starts reaches the clone's or the user's own database."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATABASE_URL", environment.MARK, *os.environ):
            if name in ("DATABASE_URL", environment.MARK) or name.startswith("PG"):
                patch.delenv(name, raising=False)
        patch.setenv("PGHOST", "127.0.0.1")
        patch.setenv("PGPORT", "1")  # refused at once
        yield patch


@pytest.fixture(scope="session")
def server(no_user_database: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A server for the whole run; its PG*, Dagster's and dbt's folders are in os.environ too."""
    with clusters.throwaway() as cluster, tempfile.TemporaryDirectory() as work:
        clusters.bring_up(cluster)
        dagster_home = Path(work) / "dagster"
        dagster_home.mkdir()
        shutil.copy(CLONE / "dagster.yaml", dagster_home)
        env = cluster.env() | {
            "DAGSTER_HOME": str(dagster_home),
            "DAGSTER_PGDATABASE": "dagster",
            "DBT_PROJECT_DIR": str(CLONE / "dbt_project"),
            "DBT_PROFILES_DIR": str(CLONE),
            "DBT_TARGET_PATH": f"{work}/target",
            "DBT_LOG_PATH": f"{work}/logs",
        }
        for name, value in env.items():
            no_user_database.setenv(name, value)
        yield env


@contextmanager
def empty_database(server: dict[str, str]) -> Iterator[dict[str, str]]:
    """A new database, in os.environ while it lasts; the same as a dict for subprocesses."""
    name = f"teste_{next(NUMBERS)}"
    with psycopg.connect("", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"create database {name}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PGDATABASE", name)
            yield server | {"PGDATABASE": name}
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="module")
def database(server: dict[str, str]) -> Iterator[dict[str, str]]:
    """An empty database that the tests of one module share: ``psycopg.connect("")`` opens it."""
    with empty_database(server) as env:
        yield env


@pytest.fixture
def empty_database_env(server: dict[str, str]) -> Iterator[dict[str, str]]:
    """An empty database for one test."""
    with empty_database(server) as env:
        yield env
