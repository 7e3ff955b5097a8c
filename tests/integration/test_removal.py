"""`python -m loaders remover`, and the example that gives way: what goes, stays, comes back.

Not here: what the rows say. Kills are marked `faults`; README's own figures need MUX's file.
"""

import os
import re
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from typer.testing import CliRunner

from dagster_pipeline.definitions import defs
from loaders import removal
from loaders.bdgd.layers import ALL_LAYERS
from loaders.errors import DatabaseFailure
from loaders.open_data.landing import land_example
from loaders.safra import Safra
from loaders.synthetic.writer import generate
from server import roles
from tests.integration import warehouse as a
from tests.integration.conftest import database
from tests.integration.cut import Cut
from tests.integration.test_crashes import alone, run_cut

LAYERS = len(ALL_LAYERS)
KEY = "404-2024"
GONE = "distribuidora_id = 404"
STAYS = "distribuidora_id is distinct from 404"
MUX = a.CLONE.parent / "shared" / "data" / "Mux_Energia_401_2024-12-31_V11_20250806-1857.gdb.zip"
WITH_SAFRA = """
    select format('%I.%I', c.relnamespace::regnamespace::text, c.relname)
    from pg_class as c
    inner join pg_attribute as t on c.oid = t.attrelid and t.attname = 'distribuidora_id'
    where c.relnamespace::regnamespace::text in ('raw', 'intel_lead', 'marts', 'construcao')
        and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
        and c.relname not in ('import_status', 'vw_import_status_resumido')
    order by 1
"""
LEDGER = """
    select count(*), count(removida_em), bool_and(status = 'completed')
    from intel_lead.import_status where distribuidora_id = 404
"""


@pytest.fixture
def warehouse(server: Mapping[str, str], model: a.Warehouse) -> Iterator[a.Warehouse]:
    """A built warehouse of the test's own: a copy costs a second, building it again a minute."""
    options = ("template", model.env["PGDATABASE"], "strategy file_copy")
    with database(server, *options) as env:
        yield a.Warehouse(env, model.project)


@pytest.fixture
def conn(warehouse: a.Warehouse) -> Iterator[psycopg.Connection]:
    """A reader of the test's warehouse."""
    with warehouse.connect() as connection:
        yield connection


def remove(warehouse: a.Warehouse, *arguments: str, **env: str) -> a.Done:
    """The command, in a process of its own."""
    return start(warehouse, *arguments, env=env).wait()


def start(warehouse: a.Warehouse, *arguments: str, env: Mapping[str, str]) -> a.Running:
    """The same, begun."""
    return a.Running(a._loaders, ["remover", *arguments], env={**warehouse.env, **env})


def state(conn: psycopg.Connection, where: str) -> dict[str, tuple[int, int]]:
    """All relations with rows of safras: their rows of the one that goes, or of the others."""
    names = [name for (name,) in conn.execute(WITH_SAFRA)]
    assert len(names) > 20
    return a.contents(conn, *names, where=where)


def leaves(conn: psycopg.Connection) -> int:
    """Tables that are named after the safra, or wait to be dropped."""
    query = "select count(*) from pg_class where relkind = 'r' and (relname ~ '_404_2024$'"
    return a.value(conn, query + " or relnamespace = to_regnamespace('descarte'))")


def test_what_is_not_there_is_refused_with_what_is(warehouse: a.Warehouse) -> None:
    done = remove(warehouse, "405-2024", "--motivo", "x")
    assert (done.code, "405-2024: não está no armazém; há 401-2024, 404-2024" in done.text) == (
        3,
        True,
    )
    assert remove(warehouse, KEY).code == 2
    assert remove(warehouse, "mux", "--motivo", "x").code == 2


def test_what_postgresql_refuses_is_said_in_its_words_and_nothing_goes(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    before = state(conn, GONE)
    with warehouse.connect() as reading:
        reading.execute("set default_transaction_read_only = on")
        with pytest.raises(DatabaseFailure, match=f"safra {KEY}: .* read-only transaction"):
            removal.remove(reading, Safra.from_key(KEY), "teste")
    assert state(conn, GONE) == before


def test_a_dry_run_says_what_would_go_and_changes_nothing(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    before = state(conn, GONE), a.contents(conn, "controle.auditoria")
    done = remove(warehouse, KEY, "--dry-run")
    assert done.ok, done.text
    leads = before[0]["intel_lead.lead_bruto"][0]
    assert f"sairia safra {KEY}" in done.text
    assert f"intel_lead.lead_bruto {leads}," in done.text
    assert (state(conn, GONE), a.contents(conn, "controle.auditoria")) == before


def test_a_safra_goes_whole_stays_away_and_comes_back_with_its_file(
    warehouse: a.Warehouse, conn: psycopg.Connection, files: Mapping[str, Path]
) -> None:
    here, others = state(conn, GONE), state(conn, STAYS)
    catalogue = {thing for thing in a.catalogue(conn) if "404_2024" not in str(thing)}
    done = remove(warehouse, KEY, "--motivo", "entregue por engano")
    assert done.ok, done.text
    assert all(rows == 0 for rows, _ in state(conn, GONE).values())
    assert state(conn, STAYS) == others
    assert leaves(conn) == 0
    now = {thing for thing in a.catalogue(conn) if "404_2024" not in str(thing)}
    assert a.difference(catalogue, now) == []
    assert conn.execute(LEDGER).fetchone() == (LAYERS, LAYERS, True)
    audited = conn.execute(
        "select objeto, detalhes ->> 'motivo', usuario_so is not null,"
        " (detalhes -> 'linhas' ->> 'intel_lead.lead_bruto')::int from controle.auditoria"
        " where acao = 'remover safra'"
    ).fetchall()
    assert audited == [(KEY, "entregue por engano", True, here["intel_lead.lead_bruto"][0])]
    assert a.value(conn, "select count(*) from controle.entrega where distribuidora_id = 404") == 0

    done = warehouse.build()
    assert done.ok, done.trouble
    assert all(rows == 0 for rows, _ in state(conn, GONE).values())

    done = warehouse.load(files["outra"])
    assert done.ok, done.text
    assert "já carregado" not in done.text
    done = warehouse.build(*a.ALL)
    assert done.ok, done.trouble
    assert state(conn, GONE) == here
    assert conn.execute(LEDGER).fetchone() == (2 * LAYERS, LAYERS, True)


def test_a_csv_of_two_safras_lands_again_for_the_one_that_was_removed(
    warehouse: a.Warehouse, conn: psycopg.Connection, tmp_path: Path
) -> None:
    lines = [f"UC{d};{d};1,5;31DEC2023;-51,5;-28" for d in (901, 902)]
    csv = tmp_path / "ucmt_pj.csv"
    csv.write_text("COD_ID_ENCR;DIST;ENE_01;DATA_BASE;POINT_X;POINT_Y\n" + "\n".join(lines) + "\n")
    assert warehouse.load(csv).ok
    assert remove(warehouse, "901-2023", "--motivo", "x").ok
    assert a.value(conn, "select count(*) from raw.ucmt where distribuidora_id = 901") == 0
    warehouse.load(csv)  # lands, and says that the gate holds a base of one unit
    assert a.value(conn, "select count(*) from raw.ucmt where distribuidora_id = 901") == 1


def test_the_inbox_sensor_lets_go_of_the_key_of_a_removed_safra(
    warehouse: a.Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And of no other: a file that waits has a key before it lands."""
    monkeypatch.setenv("PGDATABASE", warehouse.env["PGDATABASE"])
    monkeypatch.setenv("INTEL_INBOX", str(tmp_path))
    csv = tmp_path / "fora" / "ucmt_pj.csv"
    csv.parent.mkdir()
    row = "UC1;903;1,5;31DEC2023;-51,5;-28\n"
    csv.write_text("COD_ID_ENCR;DIST;ENE_01;DATA_BASE;POINT_X;POINT_Y\n" + row)
    assert warehouse.load(csv).ok
    assert remove(warehouse, "903-2023", "--motivo", "x").ok
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("safra", ["903-2023", "401-2024", "999-2020"])
        sensor = defs().get_sensor_def("caixa_de_entrada")
        seen = sensor.evaluate_tick(dg.build_sensor_context(instance=instance))
    changes = {type(c).__name__: c.partition_keys for c in seen.dynamic_partitions_requests}
    assert changes["DeleteDynamicPartitionsRequest"] == ["903-2023"]
    assert changes.get("AddDynamicPartitionsRequest", [KEY]) == [KEY]


@contextmanager
def reading(warehouse: a.Warehouse, table: str) -> Iterator[psycopg.Connection]:
    """A transaction that has read a table and is open."""
    with warehouse.connect() as reader, reader.transaction():
        reader.execute(f"select from {table} limit 1")
        yield reader


@pytest.mark.parametrize("table", ["intel_lead.lead_bruto", "raw.ucbt", "intel_lead.municipio"])
def test_a_long_reader_delays_the_removal_and_no_other_reader(
    table: str, warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    tries = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
    tries += " and datname = current_database()"
    with reading(warehouse, table):
        running = start(warehouse, KEY, "--motivo", "x", env={})
        if table != "intel_lead.municipio":  # who reads a domain is in nobody's way
            a.until(lambda: a.value(conn, tries))
            for _ in range(20):
                with conn.transaction():
                    conn.execute("set local lock_timeout = '2s'")
                    conn.execute("select count(*) from intel_lead.lead_com_coordenadas")
                    conn.execute("select count(*) from intel_lead.resumo_energia_por_municipio")
            assert running.process.is_alive()
        else:
            assert running.wait().ok
    if table != "intel_lead.municipio":
        done = running.wait()
        assert done.ok, done.text
    assert a.value(conn, f"select count(*) from intel_lead.lead_bruto where {GONE}") == 0


def test_a_build_that_is_lost_while_its_safra_goes_publishes_nothing(
    warehouse: a.Warehouse, conn: psycopg.Connection, files: Mapping[str, Path]
) -> None:
    assert warehouse.load_again(files["outra"]).ok
    cut = Cut(150)
    gone: list[a.Done] = []
    finished = threading.Event()

    def go() -> None:
        gone.append(remove(warehouse, KEY, "--motivo", "x"))
        finished.set()

    cut.act = lambda: threading.Thread(target=go).start()
    run_cut(lambda env: warehouse.start_dbt("build", *a.SAFRAS, env=env), cut, kill=False)
    assert finished.wait(600), "the build asked less than that"
    assert gone[0].ok, gone[0].text
    assert warehouse.build(*a.ALL).ok
    assert all(rows == 0 for rows, _ in state(conn, GONE).values())


@pytest.fixture(scope="module")
def asks(server: Mapping[str, str], model: a.Warehouse) -> int:
    """How much a removal asks of the server."""
    options = ("template", model.env["PGDATABASE"], "strategy file_copy")
    with database(server, *options) as env:
        counted, warehouse = Cut(0), a.Warehouse(env, model.project)
        done = run_cut(lambda env: start(warehouse, KEY, "--motivo", "x", env=env), counted)
        assert done.ok, done.text
    return counted.asked


@pytest.mark.faults
@pytest.mark.parametrize("depth", [0.1, 0.3, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9, 1.0])
def test_a_removal_killed_anywhere_leaves_the_safra_in_or_out(
    depth: float, asks: int, warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    """In, or out and so marked; the command again, or the next build, finishes what is left."""
    before, rest = state(conn, GONE), state(conn, STAYS)
    cut = Cut(max(1, int(asks * depth)), answered=depth in (0.6, 0.7, 0.8))
    done = run_cut(lambda env: start(warehouse, KEY, "--motivo", "x", env=env), cut)
    assert done.code == -signal.SIGKILL
    alone(conn)
    after = state(conn, GONE)
    inside = any(rows for rows, _ in after.values())
    assert state(conn, STAYS) == rest
    # The transaction is most of what is asked; what was put aside is dropped at the end.
    assert inside or depth > 0.5
    assert not inside or depth < 1.0
    if inside:
        assert (after, conn.execute(LEDGER).fetchone()) == (before, (LAYERS, 0, True))
        assert remove(warehouse, KEY, "--motivo", "x").ok
    elif leaves(conn):
        done = warehouse.build()
        assert done.ok, done.trouble
    assert all(rows == 0 for rows, _ in state(conn, GONE).values())
    assert conn.execute(LEDGER).fetchone() == (LAYERS, LAYERS, True)
    assert leaves(conn) == 0


def test_the_loaders_role_takes_a_safra_out_of_what_dbts_role_published(
    warehouse: a.Warehouse, conn: psycopg.Connection
) -> None:
    word = secrets.token_hex(8)
    env = {**warehouse.env, "INTEL_CARGA_PASSWORD": word}
    assert CliRunner().invoke(roles.app, ["create"], env=env).exit_code == 0
    try:
        login = {"PGUSER": "intel_carga", "PGPASSWORD": word}
        done = remove(warehouse, KEY, "--motivo", "x", **login)
        assert done.ok, done.text
        assert all(rows == 0 for rows, _ in state(conn, GONE).values())
        assert leaves(conn) == 0
        for function in ("retira_safra(1, 1)", "apaga_retirada('x')", "retira_leituras('{}')"):
            with conn.transaction(), pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute("set local role bi_leitor")
                conn.execute(f"select controle.{function}")
    finally:
        assert CliRunner().invoke(roles.app, ["drop"], env=env).exit_code == 0


# ---- the example ---------------------------------------------------------------------------------


@pytest.fixture
def example(warehouse: a.Warehouse, conn: psycopg.Connection, tmp_path: Path) -> None:
    """The module's warehouse with nothing but the example in it, as `make run` leaves it."""
    for key in ("401-2024", KEY):
        remove(warehouse, key, "--motivo", "x")
    conn.execute("truncate raw.aicss_leitura, raw.aicss_dispositivo, controle.aicss_arquivo")
    made = (
        "intel_lead.leitura_sensor, marts.consumo_dispositivo_hora, marts.consumo_dispositivo_dia"
    )
    conn.execute(f"truncate {made}")
    file = generate(tmp_path / removal.EXAMPLE_FILE, ucs=80, distribuidora=65000)
    assert warehouse.load(file).ok
    done = a.Running(a._loaders, ["aicss", str(removal.SAMPLE)], env=warehouse.env).wait()
    assert done.ok, done.text
    assert {result.landed for result in land_example(conn)} == {2, 10, 24}
    done = warehouse.build(*a.ALL, "--full-refresh")
    assert done.ok, done.trouble
    assert a.value(conn, "select count(*) from marts.consumo_dispositivo_hora") > 0
    assert removal.holds_example(conn)
    assert not removal.holds_real_data(conn)


def made_up(conn: psycopg.Connection) -> dict[str, int]:
    """Relations that show something of the example."""
    names = [name for (name,) in conn.execute(WITH_SAFRA)]
    of_it = a.contents(conn, *names, where="distribuidora_id = 65000")
    found = {name: rows for name, (rows, _) in of_it.items()}
    readings = ["raw.aicss_leitura", "intel_lead.leitura_sensor"]
    readings += ["marts.consumo_dispositivo_hora", "marts.consumo_dispositivo_dia"]
    for name in readings:
        found[name] = a.value(conn, f"select count(*) from {name} where dispositivo_id ~ '^aicss-'")
    query = "select count(*) from intel_lead.dispositivo where not documentado and id ~ '^aicss-'"
    found["intel_lead.dispositivo"] = a.value(conn, query)
    for name in ("tarifas", "continuidade", "continuidade_limite"):
        query = f"select count(*) from raw.aberto_{name} where sigagente = 'DIST65000'"
        found[f"raw.aberto_{name}"] = a.value(conn, query)
    query = "select count(*) from controle.aberto_arquivo"
    found["controle.aberto_arquivo"] = a.value(conn, query)
    query = "select count(*) from intel_lead.distribuidora where id = 65000"
    found["intel_lead.distribuidora"] = a.value(conn, query)
    return {name: rows for name, rows in found.items() if rows}


@pytest.mark.usefixtures("example")
def test_the_first_real_geodatabase_takes_the_example_away_whole(
    warehouse: a.Warehouse, conn: psycopg.Connection, files: Mapping[str, Path]
) -> None:
    bad = files["outra"].parent / "ruim.gdb.zip"
    bad.write_text("isto não é um zip")
    assert warehouse.load(bad).code == 3
    before = made_up(conn)
    assert len(before) > 15
    assert before["intel_lead.continuidade_conjunto"] == 1
    done = warehouse.load(files["outra"])
    assert done.ok, done.text
    assert done.text.count("exemplo retirado") == 1
    assert made_up(conn) == {}
    assert removal.holds_real_data(conn)
    done = warehouse.build(*a.ALL)
    assert done.ok, done.trouble
    assert made_up(conn) == {}
    assert warehouse.load(files["antiga"]).text.count("exemplo retirado") == 0


@pytest.mark.usefixtures("example")
def test_the_first_real_readings_take_the_example_away_and_only_it(
    warehouse: a.Warehouse, conn: psycopg.Connection, tmp_path: Path
) -> None:
    log = tmp_path / "aicss-sala.log"
    log.write_text("2025-01-15 10:20:00 Luz: 1 | Distância: 2 cm\n" * 2)
    done = a.Running(a._loaders, ["aicss", str(log)], env=warehouse.env).wait()
    assert done.ok, done.text
    assert done.text.count("exemplo retirado") == 1
    assert a.value(conn, "select array_agg(luz) from raw.aicss_leitura") == [1]
    done = warehouse.build(*a.ALL)
    assert done.ok, done.trouble
    hours = "select dispositivo_id, leituras from marts.consumo_dispositivo_hora"
    assert conn.execute(hours).fetchall() == [("aicss-sala", 1)]


def run(env: Mapping[str, str], *files: Path) -> str:
    """`make run`, without what it installs and starts."""
    command = [sys.executable, "-m", "dagster_pipeline.run", *map(str, files)]
    environment = {**os.environ, **env}
    done = subprocess.run(
        command, cwd=a.CLONE, env=environment, capture_output=True, text=True, timeout=1800
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not MUX.exists(), reason=f"{MUX.name} is not at hand: ../shared/data")
def test_the_readmes_commands_end_with_the_readmes_figures(
    empty_database_env: Mapping[str, str],
) -> None:
    readme = (a.CLONE / "README.md").read_text()
    assert readme.index("\n    make run ") < readme.index('\n    make run BDGD="Mux')
    shown = readme.split("ends with\n\n")[1].split("\n\n")[0]
    tables = [b for b in re.findall(r"(?:^    .+\n)+", readme, re.MULTILINE) if "lead=> " in b]
    assert len(tables) == 2
    assert "65000-2024" in run(empty_database_env)
    said = run(empty_database_env, MUX)
    assert "retirado: a safra 65000-2024" in said
    squeezed = [" ".join(line.split()) for line in said.splitlines()]
    for line in shown.splitlines():
        assert " ".join(line.split()) in squeezed
    with psycopg.connect("", dbname=empty_database_env["PGDATABASE"]) as conn:
        for table in tables:
            query = " ".join(re.findall(r"lead[=-]> (.*)", table)).rstrip(";")
            shown_rows = table.split("-+-")[-1].splitlines()[1:]
            rows = [[cell.strip() for cell in line.split("|")] for line in shown_rows]
            found = [list(map(str, row)) for row in conn.execute(query).fetchall()]
            assert sorted(found) == sorted(rows)
        assert made_up(conn) == {}
