"""What readers see while a safra is replaced, while a build fails, and what they cost each other.

Not here: kills (test_quedas), what is built (test_motor_safra).
"""

import os
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.integration import warehouse as a

pytestmark = pytest.mark.faults

LEDGER = {*a.HISTORY, "intel_lead.vw_import_status_resumido"}
MODELS = ("--select", "config.materialized:safra")
LOCK = "hashtext('intel_lead.publicacao')"
JOINED = """
    select count(distinct l.uc_id), count(m.mes), sum(m.energia_total)::numeric(20, 3)
    from intel_lead.lead_bruto as l
    left join intel_lead.lead_energia_mensal as m using (uc_id, ano, distribuidora_id)
    where l.distribuidora_id = 401"""


def readable(conn: psycopg.Connection) -> list[str]:
    """All that people read, but for the ledger."""
    return [name for name in a.relations(conn, "intel_lead", "marts") if name not in LEDGER]


def look(conn: psycopg.Connection, name: str) -> object:
    """One relation's content, or the join of leads and months, in one statement."""
    if name == "joined":
        return conn.execute(JOINED).fetchone()
    return a.contents(conn, name)[name]


@contextmanager
def pollers(warehouse: a.Warehouse, seen: dict[str, set[object]]) -> Iterator[None]:
    """Two readers that go round all tables and views until the end; what they saw goes to seen."""
    stop = threading.Event()
    errors: list[Exception] = []

    def poll(backwards: bool) -> None:
        try:
            with warehouse.connect() as conn:
                names = ["joined", *readable(conn)]
                while not stop.is_set():
                    for name in reversed(names) if backwards else names:
                        seen[name].add(look(conn, name))
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=poll, args=(backwards,)) for backwards in (False, True)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not errors


def now(conn: psycopg.Connection) -> dict[str, object]:
    """What a reader would see at this moment."""
    return {name: look(conn, name) for name in ["joined", *readable(conn)]}


def when_published(conn: psycopg.Connection) -> dict[int, str]:
    """Distributor → when its safra was published."""
    when = "select distribuidora_id, publicada_em::text from intel_lead.safra_publicada"
    return dict(conn.execute(when).fetchall())


def test_a_failed_test_publishes_nothing_and_holds_back_no_other_safra(
    warehouse: a.Warehouse, conn: psycopg.Connection, files: Mapping[str, Path]
) -> None:
    """Law 5: the last good safra stays; the good one of the batch goes out by itself."""
    before, published = now(conn), when_published(conn)
    assert warehouse.load(files["nova"]).ok
    assert warehouse.load_again(files["outra"]).ok
    conn.execute("delete from raw_safra.ucbt_401_2024 where linha = 7")
    seen: dict[str, set[object]] = defaultdict(set)
    with pollers(warehouse, seen):
        done = warehouse.build()
        assert "linhas_registradas" in done.of_status("fail")
        assert done.of_status("success").count("safra_publicada") == 0
        assert when_published(conn) == published

        good = warehouse.build(safra="404-2024")
        assert good.ok, good.trouble
        assert when_published(conn)[404] > published[404]
    assert when_published(conn)[401] == published[401]
    assert {name: {before[name]} for name in seen} == seen


def test_make_build_publishes_the_good_safras_of_a_batch_and_names_the_bad_one(
    warehouse: a.Warehouse, conn: psycopg.Connection, files: Mapping[str, Path]
) -> None:
    """Law 5: what the person would do by hand, one command does, the gate's judgement too."""
    published = when_published(conn)
    assert warehouse.land_again(files["nova"]).ok
    assert warehouse.land_again(files["outra"]).ok
    conn.execute("delete from raw_safra.ucbt_401_2024 where linha = 7")
    command = [sys.executable, "-m", "dagster_pipeline.run", "--construir"]
    env = os.environ | dict(warehouse.env)
    done = subprocess.run(command, cwd=a.CLONE, env=env, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "retida   safra 401-2024" in done.stdout
    assert "linhas_do_registro" in done.stdout
    assert "404-2024" not in done.stdout
    assert when_published(conn)[401] == published[401]
    assert when_published(conn)[404] > published[404]
    assert warehouse.load_again(files["nova"]).ok


def test_nothing_is_published_untested(warehouse: a.Warehouse, conn: psycopg.Connection) -> None:
    """Law 5: `dbt run`, and `dbt build` without the tests, publish nothing and say why."""
    published = when_published(conn)
    run = warehouse.dbt("run", *MODELS, "safra_publicada", safra="401-2024")
    assert run.ok
    assert "nada é publicado: dbt run não roda testes" in run.text
    part = warehouse.build("--select", "conjunto", "safra_publicada", safra="401-2024")
    assert "testes dos modelos da safra não foram selecionados" in part.text
    assert when_published(conn) == published


def test_readers_see_the_old_safra_or_the_new_one(
    warehouse: a.Warehouse, conn: psycopg.Connection, files: Mapping[str, Path]
) -> None:
    """Law 5: pollers on every table and view during a replacement; nothing else is ever read."""
    before = now(conn)
    assert warehouse.load_again(files["nova"]).ok
    seen: dict[str, set[object]] = defaultdict(set)
    with pollers(warehouse, seen):
        done = warehouse.build()
        assert done.ok, done.trouble
    after = now(conn)
    assert before["joined"] != after["joined"]
    assert {name: seen[name] - {before[name], after[name]} for name in seen} == {
        name: set() for name in seen
    }
    assert seen["joined"] == {before["joined"], after["joined"]}


BUILT = "from controle.safra_construida where distribuidora_id = 401 and ano = 2024)"
SWAP = f"""
    select controle.publica_safra(
        2024, 401, (select max(import_id) {BUILT}, controle.obra_da_safra(2024, 401),
        (select array_agg(modelo order by construida_em) {BUILT}, 120)"""


def build_again(warehouse: a.Warehouse) -> None:
    """Make new leaves of 401-2024 that wait for publication."""
    done = warehouse.dbt("run", *MODELS, safra="401-2024")
    assert done.ok, done.trouble


@pytest.fixture
def publish(warehouse: a.Warehouse) -> Iterator[Callable[[], threading.Thread]]:
    """The function that publishes 401-2024 in a thread, as session ``publisher``."""
    with warehouse.connect() as publisher:
        publisher.execute("set application_name = 'publisher'")
        threads: list[threading.Thread] = []

        def start() -> threading.Thread:
            threads.append(threading.Thread(target=publisher.execute, args=(SWAP,)))
            threads[0].start()
            return threads[0]

        yield start
        threads[0].join()


def waiting(conn: psycopg.Connection, who: str = "publisher") -> bool:
    """Whether a session of that name waits for a lock."""
    return a.value(
        conn,
        "select count(*) > 0 from pg_stat_activity where application_name = %s"
        " and wait_event_type = 'Lock'",
        [who],
    )


STALLED = "set statement_timeout = '10s'"
"""For a reader who may have to wait for one try of who wants the lock (0.7 s), never for all."""


def test_a_long_query_delays_a_publication_and_stalls_no_other_reader(
    warehouse: a.Warehouse, conn: psycopg.Connection, publish: Callable[[], threading.Thread]
) -> None:
    """Law 5: beside an analyst's long transaction a reader gets through, again and again."""
    published = when_published(conn)
    build_again(warehouse)
    with warehouse.connect() as analyst, warehouse.connect() as other:
        other.execute(STALLED)
        with analyst.transaction():
            analyst.execute("select from intel_lead.lead_bruto limit 1")
            thread = publish()
            for _ in range(3):
                a.until(lambda: waiting(conn))
                other.execute("select count(*) from intel_lead.lead_bruto")
            assert thread.is_alive()
        thread.join()
    assert when_published(conn)[401] > published[401]


def test_a_build_waits_for_no_reader_and_no_reader_for_it(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """Law 5: leaves are made, twice, while an analyst holds every view: nobody queues."""
    queued = """
        select count(*) from pg_stat_activity
        where wait_event_type = 'Lock' and wait_event in ('relation', 'transactionid')
            and datname = current_database() and 'analyst' in (
                select application_name from pg_stat_activity as b
                where b.pid = any(pg_blocking_pids(pg_stat_activity.pid)))"""
    with warehouse.connect() as analyst, analyst.transaction():
        analyst.execute("set local application_name = 'analyst'")
        for view in a.relations(conn, "intel_lead", "marts"):
            analyst.execute(f"select from {view} limit 1")
        run = warehouse.start_dbt("run", *MODELS, env={"DBT_SAFRA": "401-2024"})
        while run.process.is_alive():
            assert a.value(conn, queued) == 0
        assert run.wait().ok
        assert warehouse.dbt("run", *MODELS, safra="401-2024").ok


def test_what_another_dbt_built_meanwhile_is_not_published_as_tested(
    warehouse: a.Warehouse, conn: psycopg.Connection, files: Mapping[str, Path]
) -> None:
    """Law 5: a swap that waits for a reader takes no leaf that was made while it waited."""
    assert warehouse.load_again(files["antiga"]).ok
    published, before = when_published(conn), now(conn)
    with warehouse.connect() as analyst, analyst.transaction():
        analyst.execute("select from intel_lead.lead_bruto limit 1")
        first = warehouse.start_dbt("build", *a.SAFRAS, env={"DBT_SAFRA": "401-2024"})
        while not a.value(conn, SWAPPING):
            assert first.process.is_alive(), first.wait().trouble
        assert warehouse.load_again(files["nova"]).ok
        assert warehouse.dbt("run", "--select", "lead_bruto", safra="401-2024").ok
    done = first.wait()
    assert not done.ok
    assert "foi construída por outro dbt" in done.text
    assert when_published(conn) == published
    assert now(conn) == before
    assert warehouse.build().ok
    assert when_published(conn)[401] > published[401]


SWAPPING = """
    select count(*) > 0 from pg_stat_activity
    where query like '%controle.publica_safra(2024, 401%' and pid <> pg_backend_pid()"""


def test_a_view_that_did_not_change_asks_for_no_lock(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """Law 5: replacing it would wait for the analyst, and everybody else for it."""
    with warehouse.connect() as analyst, analyst.transaction():
        for view in a.relations(conn, "intel_lead", "marts"):
            analyst.execute(f"select from {view} limit 1")
        done = warehouse.start_dbt(
            "run",
            "--select",
            "config.materialized:view",
            env={"PGOPTIONS": "-c lock_timeout=2s"},
        ).wait()
    assert done.ok, done.trouble


def test_ddl_on_a_view_gives_its_lock_back_between_tries(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """Law 5: beside an analyst's long transaction a reader gets through, and DDL gives up."""
    conn.execute("create view analise as select 1 as um")
    refused: list[psycopg.Error] = []

    def change() -> None:
        with warehouse.connect() as other, pytest.raises(psycopg.errors.LockNotAvailable) as error:
            other.execute("set application_name = 'changer'")
            other.execute(
                "select controle.insiste('create or replace view analise as select 2 as um', 3)"
            )
        refused.append(error.value)

    with warehouse.connect() as analyst, warehouse.connect() as reader, analyst.transaction():
        analyst.execute("select from analise")
        reader.execute(STALLED)
        thread = threading.Thread(target=change)
        thread.start()
        a.until(lambda: waiting(conn, "changer"))
        reader.execute("select from analise")
        thread.join()
        reader.execute("select from analise")
    conn.execute("drop view analise")
    assert refused


LEADS = "select count(*) from intel_lead.lead_bruto where distribuidora_id = 401"


def test_an_old_snapshot_finds_the_replaced_safra_empty(
    warehouse: a.Warehouse, conn: psycopg.Connection, publish: Callable[[], threading.Thread]
) -> None:
    """The known limit (ATTACH is not MVCC-safe), the reason for the lock of the next test."""
    with warehouse.connect() as reader, reader.transaction():
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select 'the snapshot'")
        build_again(warehouse)
        publish().join()
        assert a.value(reader, LEADS) == 0
    assert a.value(conn, LEADS) > 0


def test_a_dump_that_holds_the_publication_lock_finds_every_safra(
    warehouse: a.Warehouse, conn: psycopg.Connection, publish: Callable[[], threading.Thread]
) -> None:
    """Law 5: publication waits for the share lock, so pg_dump's snapshot stays whole."""
    published, leads = when_published(conn), a.value(conn, LEADS)
    with warehouse.connect() as holder:
        holder.execute(f"select pg_advisory_lock_shared({LOCK})")
        with holder.transaction():
            holder.execute("set transaction isolation level repeatable read")
            snapshot = a.value(holder, "select pg_export_snapshot()")
            build_again(warehouse)
            thread = publish()
            a.until(lambda: waiting(conn))
            dump = ["pg_dump", "--data-only", "--snapshot", snapshot]
            dump += ["--table", "safra.lead_bruto_401_2024", "--table", "intel_lead.lead_bruto"]
            text = subprocess.run(
                [*dump, warehouse.env["PGDATABASE"]], capture_output=True, text=True, check=True
            ).stdout
        assert thread.is_alive()
        holder.execute(f"select pg_advisory_unlock_shared({LOCK})")
        thread.join()
    assert text.count("\t401\t") == leads
    assert when_published(conn)[401] > published[401]
