"""kill -9 of `make run`, the process that is Dagster's worker, at three depths of a safra's job.

The dbt that it had started lives on, unheard. Not here: kills of loader, dbt and PostgreSQL
(test_quedas).
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from tests.integration import warehouse as a

pytestmark = pytest.mark.faults

Contents = Mapping[str, tuple[int, int]]
OF_THE_RUN = ("intel_lead.vw_import_status_resumido", "intel_lead.qualidade_validacao")
"""What tells of executions, not of the safra."""
COMMAND = [sys.executable, "-m", "dagster_pipeline.run"]
UNPUBLISHED = "select count(*) >= %s from controle.safra_construida where not publicada"


def run(path: Path) -> subprocess.CompletedProcess[str]:
    """`make run` to its end."""
    done = subprocess.run([*COMMAND, str(path)], cwd=a.CLONE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def conn(database: dict[str, str]) -> Iterator[psycopg.Connection]:
    """A reader."""
    with psycopg.connect("", autocommit=True) as connection:
        yield connection


def published(conn: psycopg.Connection) -> Contents:
    """All that people read of the safra."""
    return {t: n for t, n in a.contents(conn).items() if t not in OF_THE_RUN}


@pytest.fixture(scope="module")
def undisturbed(conn: psycopg.Connection, files: Mapping[str, Path]) -> dict[str, Contents]:
    """File → what people read once it is landed and built."""
    found = {}
    for name in ("nova", "antiga"):
        run(files[name])
        found[name] = published(conn)
    assert found["nova"] != found["antiga"]
    return found


@pytest.mark.parametrize("leaves", [0, 1, 9], ids=["landed", "begun", "late"])
def test_a_killed_worker_is_healed_by_the_next_run(
    leaves: int,
    undisturbed: Mapping[str, Contents],
    files: Mapping[str, Path],
    conn: psycopg.Connection,
) -> None:
    """Law 5: readers have one whole safra, and running again at once makes it the new one."""
    name = "nova" if published(conn) == undisturbed["antiga"] else "antiga"
    landed = "select max(import_id) from controle.safra_importada"
    before = a.value(conn, landed)
    with subprocess.Popen(
        [*COMMAND, str(files[name])],
        cwd=a.CLONE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as worker:
        while not (a.value(conn, landed) > before and a.value(conn, UNPUBLISHED, [leaves])):
            assert worker.poll() is None, "it ended before that"
        worker.kill()
    assert published(conn) in undisturbed.values()

    run(files[name])
    assert published(conn) == undisturbed[name]
    assert a.value(conn, "select bool_and(publicada) from controle.safra_construida")
