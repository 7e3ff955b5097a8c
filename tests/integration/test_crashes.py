"""Fault injection: kill -9, lost connections and a full disk, at every depth of load and build.

Each fault is followed by a rerun and by a comparison of every table with a build that nothing
disturbed. Not here: faults in the files themselves (test_carga_bdgd).
"""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from server import clusters
from tests.integration import warehouse as a
from tests.integration.cut import Cut, wire

pytestmark = pytest.mark.faults

LOAD_POINTS = 22
BUILD_POINTS = (0.1, 0.25, 0.4, 0.55, 0.7, 0.82, 0.93, 0.98)
RAW = tuple(f"raw.{t}" for t in ("ucat", "ucmt", "ucbt", "ponnot", "conj", "rejeitado"))
LEDGER_VIEW = "intel_lead.vw_import_status_resumido"
Start = Callable[[Mapping[str, str]], a.Running]


def run_cut(start: Start, cut: Cut, *, kill: bool = True) -> a.Done:
    """Run a process over a wire, and kill it (or only its connections) where the wire is cut."""
    victim: list[int] = []
    started = threading.Event()

    def act() -> None:
        started.wait()
        os.kill(victim[0], signal.SIGKILL)

    if kill:
        cut.act = act
    with wire(int(os.environ["PGPORT"]), cut) as port:
        process = start({"PGPORT": str(port), "PGSSLMODE": "disable", "PGGSSENCMODE": "disable"})
        victim.append(process.process.pid)
        started.set()
        return process.wait()


def alone(conn: psycopg.Connection) -> None:
    """Wait until the server has noticed that everybody else is gone."""
    others = (
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and pid <> pg_backend_pid() and backend_type = 'client backend'"
    )
    a.until(lambda: a.value(conn, others) == 0)


def published(conn: psycopg.Connection) -> dict[str, tuple[int, int]]:
    """All that people read, but for the view that shows the ledger itself."""
    found = a.contents(conn)
    del found[LEDGER_VIEW]
    return found


def assert_ledger_is_true(conn: psycopg.Connection, content: str) -> None:
    """What is landed is said to be completed; nothing that is not landed is."""
    said = a.value(
        conn,
        "select arquivo from intel_lead.import_status where distribuidora_id = 401"
        " and status = 'completed' order by import_id desc limit 1",
    )
    assert said == f"{content}.gdb.zip"
    assert a.value(
        conn,
        "select s.import_id = max(i.import_id) filter (where i.status = 'completed')"
        " from controle.safra_importada as s join intel_lead.import_status as i"
        " using (ano, distribuidora_id) where distribuidora_id = 401 group by s.import_id",
    )
    loose = "select count(*) from pg_class where relnamespace = 'raw_safra'::regnamespace"
    loose += " and relname !~ '__aceita$'"
    assert a.value(conn, loose + " and relkind = 'r' and not relispartition") == 0


def running(conn: psycopg.Connection) -> int:
    """Executions that the ledger says are going on."""
    return a.value(
        conn,
        "select count(*) from intel_lead.import_status where status in ('pending', 'running')",
    )


@dataclass
class Seesaw:
    """A warehouse whose safra 401-2024 goes to and fro between two files.

    Attributes:
        raw: file → what schema raw holds once it is landed.
        read: file → what people read once it is published.
        landed: the file that is landed now.
        load_asks: messages of a load, counted; build_asks: of a build.
    """

    warehouse: a.Warehouse
    files: Mapping[str, Path]
    raw: dict[str, dict[str, tuple[int, int]]]
    read: dict[str, dict[str, tuple[int, int]]]
    landed: str = "antiga"
    load_asks: int = 0
    build_asks: int = 0

    @property
    def other(self) -> str:
        """The file that is not landed."""
        return "nova" if self.landed == "antiga" else "antiga"


@pytest.fixture(scope="module")
def seesaw(warehouse: a.Warehouse, conn: psycopg.Connection, files: Mapping[str, Path]) -> Seesaw:
    """Both contents, landed and built undisturbed, and how much is asked on the way."""
    seesaw = Seesaw(warehouse, files, {}, {})
    for name in ("antiga", "nova", "antiga"):
        load, build = Cut(0), Cut(0)
        if name != seesaw.landed:
            done = run_cut(lambda env, name=name: warehouse.start_load(files[name], env=env), load)
            assert done.ok, done.trouble
            warehouse.judge()
            done = run_cut(lambda env: warehouse.start_dbt("build", *a.SAFRAS, env=env), build)
            assert done.ok, done.trouble
            seesaw.load_asks, seesaw.build_asks = load.asked, build.asked
        seesaw.landed = name
        raw, read = a.contents(conn, *RAW), published(conn)
        assert seesaw.raw.setdefault(name, raw) == raw
        assert seesaw.read.setdefault(name, read) == read
    assert all(seesaw.raw["antiga"][t] != seesaw.raw["nova"][t] for t in RAW[2:4])
    return seesaw


@pytest.mark.parametrize("point", range(LOAD_POINTS))
def test_a_load_killed_anywhere_leaves_the_old_safra_or_the_new_one(
    point: int, seesaw: Seesaw, conn: psycopg.Connection
) -> None:
    """Law 3, kill -9 at 22 depths of a load, before and after the server did what was asked."""
    old, new, warehouse = seesaw.landed, seesaw.other, seesaw.warehouse
    at = 1 + point * (seesaw.load_asks - 1) // (LOAD_POINTS - 1)
    cut = Cut(at, answered=bool(point % 2))
    done = run_cut(lambda env: warehouse.start_load(seesaw.files[new], env=env), cut)
    assert done.code == -signal.SIGKILL
    alone(conn)
    raw = a.contents(conn, *RAW)
    assert raw in (seesaw.raw[old], seesaw.raw[new])
    assert_ledger_is_true(conn, new if raw == seesaw.raw[new] else old)

    done = warehouse.load(seesaw.files[new])
    assert done.ok, done.trouble
    seesaw.landed = new
    assert a.contents(conn, *RAW) == seesaw.raw[new]
    assert_ledger_is_true(conn, new)
    assert running(conn) == 0


def test_a_lost_connection_fails_the_load_and_says_so(
    seesaw: Seesaw, conn: psycopg.Connection
) -> None:
    """Law 3: exit 4, old content, a ledger row that says failed."""
    cut = Cut(seesaw.load_asks // 2)
    path = seesaw.files[seesaw.other]
    start = seesaw.warehouse.start_load
    done = run_cut(lambda env: start(path, env=env), cut, kill=False)
    assert (done.code, cut.done.is_set()) == (4, True)
    alone(conn)
    assert a.contents(conn, *RAW) == seesaw.raw[seesaw.landed]
    assert_ledger_is_true(conn, seesaw.landed)
    last = "select status::text from intel_lead.import_status order by import_id desc limit 1"
    assert a.value(conn, last) == "failed"


def settle(seesaw: Seesaw, name: str) -> None:
    """Land a file and build it, undisturbed."""
    assert seesaw.warehouse.load(seesaw.files[name]).ok
    seesaw.landed = name
    done = seesaw.warehouse.build()
    assert done.ok, done.trouble


def assert_all_old_or_all_new(conn: psycopg.Connection, seesaw: Seesaw, old: str, new: str) -> None:
    """Every table and view is wholly one or the other, and the tables are of one safra."""
    now = published(conn)
    for name, found in now.items():
        assert found in (seesaw.read[old][name], seesaw.read[new][name]), name
    tables = conn.execute("select oid::regclass::text from pg_class where relkind = 'p'").fetchall()
    swapped = {
        now[name] == seesaw.read[new][name]
        for (name,) in tables
        if name in now and seesaw.read[old][name] != seesaw.read[new][name]
    }
    assert len(swapped) == 1


@pytest.mark.parametrize("depth", BUILD_POINTS)
def test_a_build_killed_anywhere_heals_by_itself(
    depth: float, seesaw: Seesaw, conn: psycopg.Connection
) -> None:
    """Law 5, kill -9 of dbt: readers have one whole safra, the next build makes it the new one."""
    if depth == BUILD_POINTS[0]:
        settle(seesaw, seesaw.landed)
    old, new, warehouse = seesaw.landed, seesaw.other, seesaw.warehouse
    assert warehouse.load(seesaw.files[new]).ok
    seesaw.landed = new
    cut = Cut(int(seesaw.build_asks * depth), answered=depth > 0.5)
    done = run_cut(lambda env: warehouse.start_dbt("build", *a.SAFRAS, env=env), cut)
    assert done.code == -signal.SIGKILL
    alone(conn)
    assert_all_old_or_all_new(conn, seesaw, old, new)

    done = warehouse.build()
    assert done.ok, done.trouble
    assert published(conn) == seesaw.read[new]


@contextmanager
def reader_of(warehouse: a.Warehouse, table: str) -> Iterator[psycopg.Connection]:
    """A transaction that has read a table and is still open."""
    with warehouse.connect() as reader, reader.transaction():
        reader.execute(f"select from {table} limit 1")
        yield reader


@pytest.mark.parametrize("depth", range(4))
def test_a_publication_killed_anywhere_publishes_nothing(
    depth: int, seesaw: Seesaw, conn: psycopg.Connection
) -> None:
    """Law 5, the swap ended at four depths of its own: old and whole until a swap ends."""
    if depth == 0:
        settle(seesaw, "antiga")
        assert seesaw.warehouse.load(seesaw.files["nova"]).ok
        seesaw.landed = "nova"
        models = ("--select", "config.materialized:safra")
        assert seesaw.warehouse.dbt("run", *models).ok
    tables = a.value(
        conn,
        "select array_agg(modelo order by construida_em) from controle.safra_construida"
        " where distribuidora_id = 401",
    )
    publish = "select controle.publica_safra(2024, 401, (select max(import_id)"
    publish += " from controle.safra_construida where distribuidora_id = 401),"
    publish += " controle.obra_da_safra(2024, 401), %s, 120)"
    held = tables[len(tables) * depth // 4]
    with seesaw.warehouse.connect() as publisher, ExitStack() as stack:
        stack.enter_context(reader_of(seesaw.warehouse, f"construcao.{held}"))
        errors: list[Exception] = []

        def swap() -> None:
            try:
                publisher.execute(publish, [tables])
            except psycopg.Error as error:
                errors.append(error)

        thread = threading.Thread(target=swap)
        thread.start()
        pid = publisher.info.backend_pid
        a.until(lambda: a.value(conn, "select cardinality(pg_blocking_pids(%s)) > 0", [pid]))
        conn.execute("select pg_terminate_backend(%s)", [pid])
        thread.join()
        assert isinstance(errors[0], psycopg.errors.AdminShutdown)
    alone(conn)
    assert published(conn) == seesaw.read["antiga"]
    if depth == 3:
        conn.execute(publish, [tables])
        assert seesaw.warehouse.build().ok
        assert published(conn) == seesaw.read["nova"]


@contextmanager
def tiny_disk(conn: psycopg.Connection, folder: Path, kib: int) -> Iterator[None]:
    """A tablespace ``cheio`` on a disk of its own that is soon full."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        owner = Path(a.value(conn, "show data_directory")).stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        for parent in (folder, *folder.parents[:3]):
            parent.chmod(parent.stat().st_mode | 0o755)
        conn.execute(f"create tablespace cheio location '{folder}'")
        yield
        for kind in ("table", "index", "materialized view"):
            conn.execute(f"alter {kind} all in tablespace cheio set tablespace pg_default")
        conn.execute("drop tablespace cheio")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_fails_load_and_build_and_changes_nothing(
    seesaw: Seesaw, conn: psycopg.Connection, tmp_path: Path
) -> None:
    """Law 3: no space left on device, in COPY and in CREATE TABLE AS; then all heals."""
    settle(seesaw, "antiga")
    full = {"PGOPTIONS": "-c default_tablespace=cheio"}
    warehouse = seesaw.warehouse
    with tiny_disk(conn, tmp_path, 100):
        done = warehouse.start_load(seesaw.files["nova"], env=full).wait()
        assert (done.code, "could not extend file" in done.text) == (4, True)
        assert a.contents(conn, *RAW) == seesaw.raw["antiga"]
        assert_ledger_is_true(conn, "antiga")
        assert warehouse.load(seesaw.files["nova"]).ok
        seesaw.landed = "nova"
        done = warehouse.start_dbt("build", *a.SAFRAS, env=full).wait()
        assert (done.ok, "could not extend file" in done.text) == (False, True)
        assert published(conn) == seesaw.read["antiga"]
        done = warehouse.build()
        assert done.ok, done.trouble
        assert published(conn) == seesaw.read["nova"]


def answers(warehouse: a.Warehouse) -> bool:
    """Whether the server takes connections: after a killed backend it recovers by itself."""
    try:
        warehouse.connect().close()
    except psycopg.OperationalError:
        return False
    return True


def test_postgresql_killed_during_a_load_comes_back_with_the_old_safra(
    files: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 3, kill -9 of a backend and of the postmaster in the middle of COPY and at the end."""
    with clusters.throwaway() as cluster:
        clusters.bring_up(cluster)
        for name, text in cluster.env().items():
            monkeypatch.setenv(name, text)
        warehouse = a.Warehouse(cluster.env(), a.Project(Path()))
        assert warehouse.load(files["antiga"]).ok
        with warehouse.connect() as conn:
            old = a.contents(conn, *RAW)
        counted = Cut(0)
        start = lambda env: warehouse.start_load(files["nova"], env=env)  # noqa: E731
        assert run_cut(start, counted).ok
        with warehouse.connect() as conn:
            new = a.contents(conn, *RAW)
        assert warehouse.load(files["antiga"]).ok

        def kill_backend() -> None:
            with warehouse.connect() as conn:
                others = "select max(pid) from pg_stat_activity where application_name ~ 'loaders'"
                os.kill(a.value(conn, others), signal.SIGKILL)

        def kill_postmaster() -> None:
            os.kill(clusters.server_pid(cluster), signal.SIGKILL)

        for act, depth in ((kill_backend, 0.5), (kill_postmaster, 0.5), (kill_postmaster, 0.95)):
            cut = Cut(int(counted.asked * depth), act=act)
            assert run_cut(start, cut, kill=False).code == 4
            assert cut.done.is_set()
            if act is kill_postmaster:
                clusters.bring_up(cluster)
            a.until(lambda: answers(warehouse))
            with warehouse.connect() as conn:
                assert a.contents(conn, *RAW) == old
                assert_ledger_is_true(conn, "antiga")
            assert warehouse.load(files["nova"]).ok
            with warehouse.connect() as conn:
                assert a.contents(conn, *RAW) == new
                assert_ledger_is_true(conn, "nova")
                assert running(conn) == 0
            assert warehouse.load(files["antiga"]).ok


def test_postgresql_killed_during_a_build_comes_back_with_one_whole_safra(
    files: Mapping[str, Path], project: a.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 5, kill -9 of the postmaster while dbt builds and while it publishes."""
    with clusters.throwaway() as cluster:
        clusters.bring_up(cluster)
        for name, text in cluster.env().items():
            monkeypatch.setenv(name, text)
        warehouse = a.Warehouse(cluster.env(), project)
        assert a.Running(a._loaders, ["init"], env=warehouse.env).wait().ok
        assert warehouse.load(files["nova"]).ok
        done = warehouse.build(*a.ALL)
        assert done.ok, done.trouble
        read = {"nova": _published_of(warehouse)}
        assert warehouse.load(files["antiga"]).ok
        counted = Cut(0)
        start = lambda env: warehouse.start_dbt("build", *a.SAFRAS, env=env)  # noqa: E731
        assert run_cut(start, counted).ok
        read["antiga"] = _published_of(warehouse)

        def kill_postmaster() -> None:
            os.kill(clusters.server_pid(cluster), signal.SIGKILL)

        for new, depth in (("nova", 0.3), ("antiga", 0.8), ("nova", 0.99)):
            assert warehouse.load(files[new]).ok
            cut = Cut(int(counted.asked * depth), act=kill_postmaster)
            assert not run_cut(start, cut, kill=False).ok
            assert cut.done.is_set()
            clusters.bring_up(cluster)
            a.until(lambda: answers(warehouse))
            assert _published_of(warehouse) in read.values()
            done = warehouse.build()
            assert done.ok, done.trouble
            assert _published_of(warehouse) == read[new]


def _published_of(warehouse: a.Warehouse) -> dict[str, tuple[int, int]]:
    with warehouse.connect() as conn:
        return published(conn)
