"""A backup restores to the same warehouse, or is refused whole. Not here: the schedule's clock."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from dagster_pipeline.defs import backup as backup_job
from dagster_pipeline.defs import resources
from loaders.errors import DatabaseFailure, InvalidInput
from server import backup, binaries, dump, restore
from tests.integration import warehouse as a

SCHEMAS = ("raw", "controle", "seeds", "intel_lead", "marts")
LOCK = "hashtext('intel_lead.publicacao')"


@pytest.fixture(scope="module", autouse=True)
def here(warehouse: a.Warehouse) -> Iterator[None]:
    """PGDATABASE is the module's warehouse."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGDATABASE", warehouse.env["PGDATABASE"])
        yield


@pytest.fixture(scope="module")
def saved(here: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One backup of it."""
    return backup.create(tmp_path_factory.mktemp("backups"))


@pytest.fixture
def damaged(saved: Path, tmp_path: Path) -> Path:
    """A copy, to be spoiled."""
    return shutil.copytree(saved, tmp_path / saved.name)


def everything(conn: psycopg.Connection) -> dict[str, tuple[int, int]]:
    """Rows and their checksum of every table and view."""
    return a.contents(conn, *a.relations(conn, *SCHEMAS))


def named_catalogue(conn: psycopg.Connection) -> set[tuple[object, ...]]:
    """The catalogue with every name qualified, whatever the connection's search_path."""
    with conn.transaction():
        conn.execute("set local search_path = pg_catalog")
        return a.catalogue(conn)


def when_made(conn: psycopg.Connection) -> set[tuple[object, ...]]:
    """When each leaf was built, each safra published, each materialized view refreshed."""
    return {
        *conn.execute("""
            select modelo, ano, distribuidora_id, construida_em from controle.safra_construida
            union all
            select 'safra_publicada', ano, distribuidora_id, publicada_em
            from intel_lead.safra_publicada
            union all
            select nome, null, null, dados_ate from controle.visao_materializada
            """)
    }


def schemas(database: str) -> int:
    """How many of our schemas a database has."""
    query = "select count(*) from pg_namespace where nspname = any(%s)"
    with psycopg.connect("", dbname=database) as conn:
        return a.value(conn, query, [[*SCHEMAS]])


def fake_program(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    """Have a shell script run in the place of one of PostgreSQL's programs, which is $REAL."""
    real, major = dump.program, binaries.find_binaries().major

    def path(asked: str, *, major: int) -> str:
        return str(folder / name) if asked == name else real(asked, major=major)

    (folder / name).write_text(f"#!/bin/sh\nREAL={real(name, major=major)}\n{script}\n")
    (folder / name).chmod(0o755)
    for module in (backup, restore):
        monkeypatch.setattr(module, "program", path)


def test_a_restored_warehouse_is_the_same_and_dbt_has_nothing_to_do(
    saved: Path,
    warehouse: a.Warehouse,
    conn: psycopg.Connection,
    empty_database_env: dict[str, str],
) -> None:
    before, catalogue = everything(conn), named_catalogue(conn)
    assert sum(rows for rows, _ in before.values()) > 10_000
    assert restore.restore(saved) == empty_database_env["PGDATABASE"]

    restored = a.Warehouse(empty_database_env, warehouse.project)
    with restored.connect() as there:
        assert "intel_lead" in a.value(there, "show search_path")
        assert a.value(there, "select to_regnamespace(%s)", [dump.UNDER_WAY]) is None
        assert everything(there) == before
        assert not a.difference(catalogue, named_catalogue(there))
        when = when_made(there)
        done = restored.build()
        assert done.ok, done.trouble
        assert not a.difference(when, when_made(there))


def test_a_new_database_gets_its_name_when_it_is_complete(
    saved: Path, conn: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{conn.info.dbname}_novo"
    names = "select datname from pg_database where datname like %s"
    with monkeypatch.context() as patch:
        fake_program(tmp_path, patch, "pg_restore", '[ "$1" = --list ] && exec $REAL "$@"; exit 1')
        with pytest.raises(DatabaseFailure, match="pg_restore falhou"):
            restore.restore(saved, new=name)
    assert conn.execute(names, [f"{name}%"]).fetchall() == []

    assert restore.restore(saved, new=name, dry_run=True) == name
    assert conn.execute(names, [f"{name}%"]).fetchall() == []
    assert restore.restore(saved, new=name) == name
    try:
        with psycopg.connect("", dbname=name) as there:
            assert a.contents(there) == a.contents(conn)
        with pytest.raises(InvalidInput, match="já existe"):
            restore.restore(saved, new=name)
    finally:
        conn.execute(f"drop database {name} with (force)")


@pytest.mark.parametrize("what", ["changed", "cut", "missing", "added", "sums"])
def test_a_damaged_backup_is_refused_before_anything_is_written(
    damaged: Path, what: str, empty_database_env: dict[str, str]
) -> None:
    victim = max((damaged / dump.DUMP).iterdir(), key=lambda path: path.stat().st_size)
    content = victim.read_bytes()
    if what == "changed":
        victim.write_bytes(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])
    elif what == "cut":
        victim.write_bytes(content[:-1])
    elif what == "missing":
        victim.unlink()
    elif what == "added":
        (damaged / "extra").touch()
    else:
        (damaged / dump.SUMS).write_bytes(b"\xff")
    with pytest.raises(InvalidInput, match=damaged.name):
        restore.restore(damaged)
    assert schemas(empty_database_env["PGDATABASE"]) == 0


def test_a_database_that_is_not_empty_is_refused(saved: Path, conn: psycopg.Connection) -> None:
    before = everything(conn)
    with pytest.raises(InvalidInput, match="não está vazio"):
        restore.restore(saved)
    assert everything(conn) == before


def test_a_restore_that_failed_or_was_killed_is_done_again(
    saved: Path, empty_database_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = empty_database_env["PGDATABASE"]
    half = '[ "$1" = --list ] && exec $REAL "$@"; $REAL --section=pre-data "$@"; {}'
    with monkeypatch.context() as patch:
        fake_program(tmp_path, patch, "pg_restore", half.format("exit 1"))
        with pytest.raises(DatabaseFailure, match="pg_restore falhou"):
            restore.restore(saved)
    assert schemas(name) == 0

    kill = f"""
import os, signal
from pathlib import Path
from server import restore
real = restore.run
def run(*command):
    if "--list" in command:
        return real(*command)
    real(command[0], "--section=pre-data", *command[1:])
    os.kill(os.getpid(), signal.SIGKILL)
restore.run = run
restore.restore(Path({str(saved)!r}))
"""
    killed = subprocess.run([sys.executable, "-c", kill], cwd=a.CLONE, capture_output=True)
    assert killed.returncode == -9, killed.stderr.decode()
    assert schemas(name) == len(SCHEMAS)
    assert restore.restore(saved) == name
    assert schemas(name) == len(SCHEMAS)


def test_publications_and_landings_wait_during_the_dump(
    conn: psycopg.Connection,
    warehouse: a.Warehouse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    psql = shlex.quote(dump.program("psql", major=binaries.find_binaries().major))
    query = f"select pg_try_advisory_lock({LOCK}), count(*) from pg_locks where locktype='advisory'"
    query += " and mode='ShareLock' and granted and database=(select oid from pg_database"
    query += " where datname=current_database())"
    (tmp_path / "query.sql").write_text(query)
    asked = tmp_path / "answer"
    look = f'{psql} -XAt -f {tmp_path}/query.sql > {asked}; exec $REAL "$@"'
    fake_program(tmp_path, monkeypatch, "pg_dump", look)
    backup.create(tmp_path / "backups")
    free, held = asked.read_text().strip().split("|")
    assert free == "f"
    assert int(held) == 4  # two safras, dbt, publication
    a.until(lambda: a.value(conn, f"select pg_try_advisory_lock({LOCK})"))
    conn.execute(f"select pg_advisory_unlock({LOCK})")


def test_a_failed_backup_leaves_nothing_and_old_ones_are_retired(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = saved.name.rsplit("-", 1)[0]
    old = [tmp_path / f"{database}-2020010{day}T000000Z" for day in (1, 2, 3)]
    others = [tmp_path / "mine", tmp_path / f"{database}_2-20200101T000000Z"]
    killed = tmp_path / f"{backup.UNFINISHED}{database}-20200104T000000Z"
    for folder in (*old, *others, killed):
        folder.mkdir()
    with monkeypatch.context() as patch:
        (tmp_path / "mine" / "bin").mkdir()
        script = 'mkdir "${4#--file=}"; echo disk full >&2; exit 1'
        fake_program(tmp_path / "mine" / "bin", patch, "pg_dump", script)
        with pytest.raises(DatabaseFailure, match="disk full"):
            backup.create(tmp_path, keep=2)
    assert {*tmp_path.iterdir()} == {*old, *others, tmp_path / ".lock"}

    new = backup.create(tmp_path, keep=2)
    assert {*tmp_path.iterdir()} == {new, old[2], *others, tmp_path / ".lock"}
    check = ["sha256sum", "--check", "--quiet", dump.SUMS]
    assert subprocess.run(check, cwd=new).returncode == 0


def test_the_job_backs_up(tmp_path: Path) -> None:
    config = {"ops": {"copia_de_seguranca": {"config": {"dest": str(tmp_path), "manter": 1}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        done = backup_job.job.execute_in_process(
            run_config=config, resources={"banco": resources.Database()}, instance=instance
        )
    assert done.success
    assert [dump.verify(path)["safras"] for path in tmp_path.glob("*Z")] == [2]
