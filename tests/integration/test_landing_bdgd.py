"""Landing a BDGD: all or nothing, once, counted, healed. Not here: reading of files (tests/unit).

Each test has a distributor of its own in one database.
"""

import itertools
import os
import signal
import subprocess
import sys
import traceback
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from loaders import ledger, removal
from loaders.__main__ import app
from loaders.bdgd import geodatabase, landing, transfer
from loaders.bdgd.landing import REPLACEMENT, Options, land
from loaders.bdgd.layers import ALL_LAYERS, RAW_TABLES
from loaders.bdgd.leaves import ASIDE
from loaders.bdgd.transfer import pack_batch
from loaders.connection import connect, prepare
from loaders.errors import DatabaseFailure, InvalidInput
from loaders.gate.references import landed
from loaders.safra import Safra
from loaders.synthetic.writer import generate

MUX = Path(__file__).parents[3] / (
    "shared/data/Mux_Energia_401_2024-12-31_V11_20250806-1857.gdb.zip"
)
DISTRIBUIDORAS = itertools.count(1001)
LAYERS = len(ALL_LAYERS)
"""The ledger has a row for each, whatever it landed."""

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def dist() -> int:
    """A distributor that no other test loads."""
    return next(DISTRIBUIDORAS)


@pytest.fixture
def conn(database: dict[str, str]) -> Iterator[psycopg.Connection]:
    with connect() as connection:
        prepare(connection)
        yield connection


def value(conn: psycopg.Connection, query: str, *parameters: object) -> object:
    row = conn.execute(query, parameters).fetchone()  # type: ignore[call-overload]
    return row and row[0]


def run(*arguments: object) -> int:
    return CliRunner().invoke(app, ["bdgd", *map(str, arguments)]).exit_code


def portrait(conn: psycopg.Connection, dist: int) -> dict[str, object]:
    """What a distributor has in every raw table, import numbers aside."""
    content = {
        c.table: value(
            conn,
            "select md5(coalesce(string_agg((to_jsonb(t) - 'import_id')::text, ' ' order by linha),"
            f" '')) || count(*) from raw.{c.table} as t where distribuidora_id = %s",
            dist,
        )
        for c in RAW_TABLES
    }
    leaves = conn.execute(
        "select relname, relispartition from pg_class where relkind = 'r'"
        " and relnamespace = 'raw_safra'::regnamespace and relname ~ %s and relname !~ %s"
        " order by 1",
        [f"_{dist}_", ASIDE],
    ).fetchall()
    rejects = conn.execute(
        "select ano, origem, linha, motivo, registro from raw.rejeitado"
        " where distribuidora_id = %s order by 1, 2, 3",
        [dist],
    ).fetchall()
    return content | {"folhas": leaves, "rejeitados": rejects}


def executions(conn: psycopg.Connection, dist: int | None) -> list[tuple[str, ...]]:
    return conn.execute(
        "select camada::text, status::text, coalesce(erro, '') from intel_lead.import_status"
        " where distribuidora_id is not distinct from %s order by import_id",
        [dist],
    ).fetchall()


@contextmanager
def while_copying(action: object) -> Iterator[Options]:
    """Options whose progress hook runs ``acao`` once, in the middle of the first COPY."""
    turn = iter([action])

    def progress(layer: str, rows: int) -> AbstractContextManager[object]:
        @contextmanager
        def step() -> Iterator[object]:
            yield lambda _: next(turn, lambda: None)()

        return step()

    yield Options(progress=progress)
    assert next(turn, None) is None, "the hook never ran"


def test_every_row_and_every_kwh_of_the_file_lands(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb = generate(tmp_path / "a.gdb", ucs=400, distribuidora=dist, faults=["cod_id_em_branco"])
    assert run(gdb) == 0
    with geodatabase.opened(gdb) as source:
        for layer in ALL_LAYERS:
            rows_read, kwh = 0, 0.0
            for batch in source.batches(layer):
                rows_read, kwh = rows_read + batch.data.num_rows, kwh + pack_batch(batch, layer).kwh
            total = " + ".join(layer.energy_columns) or "0"
            in_database, kwh_in_database = conn.execute(
                f"select count(*), coalesce(sum({total}), 0) from raw.{layer.table}"  # noqa: S608
                " where distribuidora_id = %s",
                [dist],
            ).fetchone()
            processed, rejected = conn.execute(
                "select linhas_processadas, linhas_rejeitadas from intel_lead.import_status"
                " where distribuidora_id = %s and camada = %s::intel_lead.camada_enum",
                [dist, layer.name],
            ).fetchone()
            assert (processed, processed + rejected) == (in_database, rows_read)
            assert kwh_in_database == pytest.approx(kwh, abs=1e-3)


def test_rejected_rows_are_kept_with_number_and_reason(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb = generate(tmp_path / "a.gdb", ucs=400, distribuidora=dist, faults=["cod_id_em_branco"])
    assert run(gdb) == 0
    assert value(
        conn,
        "select count(*) from raw.rejeitado as r join intel_lead.import_status as i"
        " using (import_id, distribuidora_id, ano, arquivo) where distribuidora_id = %s"
        " and motivo = 'cod_id em branco' and origem = i.camada::text"
        " and registro ->> 'dist' = %s::text",
        dist,
        dist,
    ) == value(
        conn,
        "select sum(linhas_rejeitadas) from intel_lead.import_status where distribuidora_id = %s",
        dist,
    )
    assert portrait(conn, dist)["rejeitados"]
    assert not value(
        conn,
        "select count(*) from raw.ucbt as u join raw.rejeitado as r"
        " using (import_id, linha) where u.distribuidora_id = %s",
        dist,
    )


def test_the_same_content_again_changes_nothing(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb = generate(tmp_path / "a.gdb", ucs=60, distribuidora=dist)
    assert run(gdb) == 0
    before = (
        executions(conn, dist),
        value(
            conn,
            "select s::text from controle.safra_importada as s where distribuidora_id = %s",
            dist,
        ),
    )
    assert run(gdb.rename(tmp_path / "outro_nome.gdb")) == 0
    assert before == (
        executions(conn, dist),
        value(
            conn,
            "select s::text from controle.safra_importada as s where distribuidora_id = %s",
            dist,
        ),
    )


def test_a_new_file_replaces_its_safra_whole_and_no_other(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    first = generate(tmp_path / "a.gdb", ucs=80, distribuidora=dist, faults=["cod_id_em_branco"])
    other_year = generate(tmp_path / "b.gdb", ucs=60, distribuidora=dist, ano=2023)
    assert run(first, other_year) == 0
    import_id = value(
        conn,
        "select import_id from controle.safra_importada where (distribuidora_id, ano) = (%s, 2024)",
        dist,
    )
    least = generate(tmp_path / "c.gdb", ucs=60, seed=2, distribuidora=dist)
    assert run(least) == 0
    with geodatabase.opened(least) as source:
        assert (
            value(
                conn,
                "select count(*) from raw.ucbt where (distribuidora_id, ano) = (%s, 2024)",
                dist,
            )
            == source.rows[source.safras[0], "UCBT"]
        )
    snapshot = portrait(conn, dist)
    assert len(snapshot["folhas"]) == 2 * len(RAW_TABLES)
    assert snapshot["rejeitados"] == []
    assert value(
        conn, "select count(*) from raw.ucbt where (distribuidora_id, ano) = (%s, 2023)", dist
    )
    assert import_id < value(
        conn,
        "select import_id from controle.safra_importada where (distribuidora_id, ano) = (%s, 2024)",
        dist,
    )
    assert run(first) == 0, "an older file is landed again, not taken for loaded"
    assert portrait(conn, dist) != snapshot


@pytest.mark.parametrize(
    "faults",
    [
        ["sem_camada_ucbt", "camada_vazia"],
        ["sem_camada_ponnot"],
        ["sem_cod_id"],
        ["sem_sufixo_tab", "nomes_minusculos", "coluna_extra"],
    ],
)
@pytest.mark.parametrize("model", ["M10", "V11"])
def test_every_model_and_gap_gives_five_attached_leaves(
    conn: psycopg.Connection, dist: int, tmp_path: Path, faults: list[str], model: str
) -> None:
    gdb = generate(tmp_path / "a.gdb", ucs=60, distribuidora=dist, model=model, faults=faults)
    assert run(gdb) == 0
    assert portrait(conn, dist)["folhas"] == sorted(
        (f"{c.table}_{dist}_2024", True) for c in RAW_TABLES
    )
    without_key = value(
        conn, "select bool_and(cod_id is null) from raw.ucmt where distribuidora_id = %s", dist
    )
    assert bool(without_key) == ("sem_cod_id" in faults)


def damage(path: Path, mode: str) -> Path:
    """A damaged file of each kind at ``path``, which is a good geodatabase."""
    target = path.with_suffix(".gdb.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zipped:
        for file in path.iterdir():
            zipped.write(file, f"x.gdb/{file.name}")
        if mode == "foge":
            zipped.writestr("../fora", "x")
    content_bytes = target.read_bytes()
    if mode == "corta":
        content_bytes = content_bytes[: len(content_bytes) * 2 // 3]
    elif mode == "vazio":
        content_bytes = b""
    elif mode == "texto":
        content_bytes = b"<html>Access denied</html>"
    target.write_bytes(content_bytes)
    return target


@pytest.mark.parametrize("mode", ["foge", "corta", "vazio", "texto"])
def test_a_file_that_never_says_its_safra_leaves_one_failed_row(
    conn: psycopg.Connection, dist: int, tmp_path: Path, mode: str
) -> None:
    bad = damage(generate(tmp_path / f"{mode}.gdb", ucs=60, distribuidora=dist), mode)
    before = len(executions(conn, None))
    assert run(bad) == 3
    (new,) = executions(conn, None)[before:]
    assert new[1] == "failed"
    assert bad.name in new[2]
    assert executions(conn, dist) == []


@pytest.mark.parametrize("fault", ["tipo_errado", "dist_divergente"])
def test_a_bad_layer_fails_the_file_and_keeps_the_old_safra(
    conn: psycopg.Connection, dist: int, tmp_path: Path, fault: str
) -> None:
    assert run(generate(tmp_path / "boa.gdb", ucs=60, distribuidora=dist)) == 0
    before = portrait(conn, dist)
    bad = generate(tmp_path / "ruim.gdb", ucs=60, distribuidora=dist, faults=[fault])
    assert run(bad) == 3
    assert portrait(conn, dist) == before
    failures = executions(conn, dist)[LAYERS:]
    assert [status for _, status, _ in failures] == ["failed"] * LAYERS
    assert all("camada U" in error and "coluna" in error for *_, error in failures)


def test_a_folder_without_rights_is_refused_and_recorded(
    conn: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(_: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", deny)
    before = len(executions(conn, None))
    assert run(tmp_path) == 3
    assert "sem direito" in executions(conn, None)[before:][0][2]


def test_one_bad_file_does_not_stop_the_others(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    generate(tmp_path / "a.gdb", ucs=60, distribuidora=dist, faults=["duas_bases"])
    generate(tmp_path / "b.gdb", ucs=60, distribuidora=dist)
    assert run(tmp_path) == 3
    assert [status for _, status, _ in executions(conn, dist)] == ["completed"] * LAYERS


def test_what_postgresql_refuses_is_refused_without_quoting_the_row(
    conn: psycopg.Connection, dist: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ucmt_pj.csv"
    file.write_text(f"COD_ID_ENCR;DIST;LGRD;ENE_01;DATA_BASE\nA;{dist};RUA SECRETA;1;31DEC2024\n")
    write = transfer._csv
    monkeypatch.setattr(transfer, "_csv", lambda data: write(data).replace(b"SECR", b"SECR\0"))
    assert run(file) == 3
    ((_, status, error),) = executions(conn, dist)
    assert status == "failed"
    assert "UTF8" in error
    assert f"ucmt_{dist}_2024" in error
    assert "SECR" not in error


def test_what_led_to_a_refusal_quotes_no_row_either(
    dist: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logs write an error's causes as well: Arrow's, and PostgreSQL's DETAIL and CONTEXT."""

    def detail(conn: psycopg.Connection, *_: object) -> None:
        conn.execute("do $$ begin raise 'não' using detail = 'RUA SECRETA'; end $$")

    file = tmp_path / "ucmt_pj.csv"
    file.write_text(f"COD_ID_ENCR;DIST;LGRD;ENE_01;DATA_BASE\nA;{dist};RUA SECRETA\n")
    with pytest.raises(InvalidInput, match="malformado") as refusal:
        land(file, Options())
    assert "SECRETA" not in "".join(traceback.format_exception(refusal.value))
    monkeypatch.setattr(landing, "_copy_layer", detail)
    with pytest.raises(DatabaseFailure, match="não") as failure:
        land(write_csv(tmp_path, dist), Options())
    assert "SECRETA" not in "".join(traceback.format_exception(failure.value))


def test_two_safras_land_side_by_side(conn: psycopg.Connection, dist: int, tmp_path: Path) -> None:
    other = next(DISTRIBUIDORAS)
    one = generate(tmp_path / "a.gdb", ucs=60, distribuidora=dist)
    two = [generate(tmp_path / f"{n}.gdb", ucs=60, seed=n, distribuidora=other) for n in (1, 2)]
    land(two[0], Options())
    with while_copying(lambda: land(two[1], Options())) as options:
        land(one, options)
    assert [s for _, s, _ in executions(conn, other)] == ["completed"] * (2 * LAYERS)


def test_a_second_load_of_the_same_safra_is_refused(
    dist: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_WAIT_FOR_DEAD", "10ms")
    gdb, other = (
        generate(tmp_path / f"{n}.gdb", ucs=60, seed=n, distribuidora=dist) for n in (1, 2)
    )

    def attempt() -> None:
        with pytest.raises(DatabaseFailure, match=f"safra {dist}-2024: o processo .* --esperar"):
            land(other, Options())
        assert run(other) == 4

    with while_copying(attempt) as options:
        land(gdb, options)


def test_a_load_that_waits_follows_the_first(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb, other = (
        generate(tmp_path / f"{n}.gdb", ucs=60, seed=n, distribuidora=dist) for n in (1, 2)
    )
    with ThreadPoolExecutor(1) as pool:
        waiting = []

        def call() -> None:
            waiting.append(pool.submit(land, other, Options(wait=True)))
            wait_for(conn, "select from pg_locks where locktype = 'advisory' and not granted")

        with while_copying(call) as options:
            land(gdb, options)
        assert waiting[0].result(timeout=60) == [f"{dist}-2024"]
    assert [s for _, s, _ in executions(conn, dist)] == ["completed"] * (2 * LAYERS)


def wait_for(conn: psycopg.Connection, query: str) -> None:
    """Ask until there is a row."""
    while not conn.execute(query).rowcount:  # type: ignore[call-overload]
        pass


def test_a_reader_of_the_old_leaf_delays_the_swap_and_no_more(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb, other = (
        generate(tmp_path / f"{n}.gdb", ucs=60, seed=n, distribuidora=dist) for n in (1, 2)
    )
    land(gdb, Options())
    before = portrait(conn, dist)
    with connect() as reader, ThreadPoolExecutor(1) as pool:
        with reader.transaction():
            reader.execute(f"select from raw_safra.ucbt_{dist}_2024")
            load = pool.submit(land, other, Options())
            blocked = "select from pg_locks where relation is not null and not granted"
            wait_for(conn, blocked)
        assert load.result(timeout=60)
    assert portrait(conn, dist) != before
    assert [s for _, s, _ in executions(conn, dist)] == ["completed"] * (2 * LAYERS)


def test_a_lost_connection_fails_and_changes_nothing(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb, other = (
        generate(tmp_path / f"{n}.gdb", ucs=60, seed=n, distribuidora=dist) for n in (1, 2)
    )
    land(gdb, Options())
    before = portrait(conn, dist)

    def bring_down() -> None:
        conn.execute(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
            " and (classid, objid) = (%s::oid, %s::oid)",
            [ledger.LOCK_CLASS, Safra.from_key(f"{dist}-2024").lock_key],
        )

    with while_copying(bring_down) as options, pytest.raises(DatabaseFailure):
        land(other, options)
    assert portrait(conn, dist) == before
    assert [s for _, s, _ in executions(conn, dist)] == ["completed"] * LAYERS + ["failed"] * LAYERS


def test_without_a_server_the_exit_code_says_database(
    dist: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    assert run(generate(tmp_path / "a.gdb", ucs=60, distribuidora=dist)) == 4


KILL = """
import os, signal, sys
from pathlib import Path
from loaders.bdgd import landing, transfer
from loaders import ledger, removal
owner, name, turn = sys.argv[2:]
module = {"bdgd": landing, "transfer": transfer, "ledger": ledger}[owner]
original, chamadas = getattr(module, name), iter(range(int(turn)))
def die(*args, **kwargs):
    done = original(*args, **kwargs)
    if next(chamadas, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
setattr(module, name, die)
landing.land(Path(sys.argv[1]), landing.Options())
"""


@pytest.mark.parametrize(
    ("owner", "name", "turn"),
    [
        ("ledger", "lock", 0),
        ("ledger", "begin", 0),
        ("bdgd", "create_leaf", 2),
        ("transfer", "_copy", 0),
        ("transfer", "_copy", 2),
        ("bdgd", "swap", 0),
        ("ledger", "conclude", 0),
    ],
)
def test_a_killed_load_changes_nothing_and_the_next_one_heals(
    conn: psycopg.Connection, dist: int, tmp_path: Path, owner: str, name: str, turn: int
) -> None:
    # The same units, so that the gate has nothing to say of it.
    old, new = (
        generate(tmp_path / f"{n}.gdb", ucs=60, faults=faults, distribuidora=dist)
        for n, faults in enumerate(([], ["at_ds"]), 1)
    )
    land(new, Options())
    expected = portrait(conn, dist)
    land(old, Options())
    before = portrait(conn, dist)
    dead = subprocess.run(
        [sys.executable, "-c", KILL, str(new), owner, name, str(turn)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        check=False,
    )
    assert dead.returncode == -signal.SIGKILL, dead.stderr.decode()
    assert portrait(conn, dist) == before
    land(new, Options())
    assert portrait(conn, dist) == expected
    after = executions(conn, dist)[2 * LAYERS :]
    assert {(s, e) for _, s, e in after[:-LAYERS]} <= {("failed", "processo interrompido")}
    assert [s for _, s, _ in after[-LAYERS:]] == ["completed"] * LAYERS


def test_what_is_landed_already_closes_the_executions_of_a_dead_process(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    done, other = (
        generate(tmp_path / f"{n}.gdb", ucs=60, seed=n, distribuidora=dist) for n in (1, 2)
    )
    land(done, Options())
    open_ones = "select count(*) from intel_lead.import_status where status = 'running'"
    open_ones += " and distribuidora_id = %s"

    def repeat() -> None:
        land(done, Options())
        assert value(conn, open_ones, dist) == LAYERS, "those of a live process were closed"

    with while_copying(repeat) as options:
        land(other, options)
    land(done, Options())
    safra = Safra.from_key(f"{dist}-2024")
    ledger.begin(conn, safra, ALL_LAYERS, file="morto.gdb", sha256="x")
    land(done, Options())
    assert value(conn, open_ones, dist) == 0
    assert executions(conn, dist)[-1] == (
        ALL_LAYERS[-1].name,
        "failed",
        "processo interrompido",
    )


def write_csv(folder: Path, *dists: int, name: str = "ucmt_pj.csv") -> Path:
    rows = [f"UC{n};{d};{n},5;31DEC2024;-51,5;-28" for n, d in enumerate(dists, 1)]
    file = folder / name
    file.write_text("COD_ID_ENCR;DIST;ENE_01;DATA_BASE;POINT_X;POINT_Y\n" + "\n".join(rows))
    return file


def test_a_national_csv_is_split_and_the_other_layers_are_empty(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    other = next(DISTRIBUIDORAS)
    assert run(write_csv(tmp_path, dist, other, dist)) == 0
    assert conn.execute(
        "select linha, cod_id, ene_01, point_x from raw.ucmt where distribuidora_id = %s"
        " order by linha",
        [dist],
    ).fetchall() == [(1, "UC1", 1.5, -51.5), (3, "UC3", 3.5, -51.5)]
    for d in (dist, other):
        assert len(portrait(conn, d)["folhas"]) == len(RAW_TABLES)
        assert [(c, s) for c, s, _ in executions(conn, d)] == [("UCMT", "completed")]


def test_a_nan_is_rejected_and_not_measured(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    file = write_csv(tmp_path, dist, dist)
    file.write_text(file.read_text().replace(";1,5;", ";NaN;"))
    assert run(file) == 0
    assert conn.execute(
        "select linha, motivo, registro -> 'ene_01' from raw.rejeitado where distribuidora_id = %s",
        [dist],
    ).fetchall() == [(1, "energia que não é um número finito", None)]
    query = "select energia_kwh from controle.entrega where distribuidora_id = %s"
    assert value(conn, query, dist) == 2.5


def test_a_csv_does_not_replace_a_geodatabase_unasked(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    other = next(DISTRIBUIDORAS)
    gdb = generate(tmp_path / "a.gdb", ucs=200, distribuidora=dist)
    file = write_csv(tmp_path, dist, other)
    assert run(gdb) == 0
    before = portrait(conn, dist)
    assert run(file) == 3
    assert conn.execute(
        "select ano, status::text from intel_lead.import_status"
        " where distribuidora_id = %s and arquivo = 'ucmt_pj.csv'",
        [dist],
    ).fetchall() == [(2024, "failed")], "a refusal is of a safra, where the file says which"
    assert portrait(conn, dist) == before
    assert run(file, "--safra", f"{other}-2024") == 0
    assert portrait(conn, dist) == before
    assert run(file, "--substituir") == 0
    after = portrait(conn, dist)
    assert {table for table in before if before[table] != after[table]} == {"ucmt"}
    assert landed(conn, Safra.from_key(f"{dist}-2024")).complete, "for the gate, one layer or not"
    assert conn.execute(
        "select objeto, detalhes - 'import_id', usuario_so is not null from controle.auditoria"
        " where acao = %s and split_part(objeto, '-', 1)::integer = any(%s)",
        [REPLACEMENT, [dist, other]],
    ).fetchall() == [(f"{dist}-2024", {"camada": "UCMT", "arquivo": "ucmt_pj.csv"}, True)]
    assert run(gdb) == 0
    assert portrait(conn, dist) == before


def test_the_example_goes_before_anything_was_built(
    conn: psycopg.Connection, dist: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    safra = removal.EXAMPLE
    where = {"distribuidora": safra.distribuidora_id, "ano": safra.ano}
    assert run(generate(tmp_path / removal.EXAMPLE_FILE, ucs=60, **where)) == 0
    assert removal.holds_example(conn)
    assert run(generate(tmp_path / "a.gdb", ucs=60, distribuidora=dist)) == 0
    assert not removal.holds_example(conn)
    query = "select count(*) from raw.ucbt where (distribuidora_id, ano) = (%s, %s)"
    assert value(conn, query, safra.distribuidora_id, safra.ano) == 0
    assert "espaço em disco" not in caplog.text, "there is nothing to clean up"


def test_a_dry_run_touches_no_database(dist: int, tmp_path: Path) -> None:
    gdb = generate(tmp_path / "a.gdb", ucs=60, distribuidora=dist)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGPORT", "1")
        assert run(gdb, "--dry-run") == 0


def test_a_vintage_is_given_by_hand_where_the_file_has_none(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb = generate(tmp_path / "a.gdb", ucs=60, distribuidora=dist, faults=["sem_base"])
    assert run(gdb) == 3
    assert run(gdb, "--safra", f"{dist}-2022") == 0
    assert "sem BASE" in str(
        value(
            conn,
            "select observacoes from intel_lead.import_status where distribuidora_id = %s limit 1",
            dist,
        )
    )


def test_a_wrong_use_is_exit_code_two(tmp_path: Path) -> None:
    assert run(tmp_path / "nada.gdb") == 2
    assert run(tmp_path, "--safra", "2024") == 2


@pytest.mark.skipif(not MUX.exists(), reason=f"{MUX.name} is not beside the clone")
def test_the_real_mux_2024_lands_to_the_kwh(conn: psycopg.Connection) -> None:
    assert run(MUX) == 0
    for table, rows, kwh in (("ucbt", 13_300, 41_388_768.80), ("ucmt", 40, 41_884_326.44)):
        total = " + ".join(f"ene_{month:02d}" for month in range(1, 13))
        assert conn.execute(
            f"select count(*), round(sum({total})::numeric, 2)::float from raw.{table}"  # noqa: S608
            " where (distribuidora_id, ano) = (401, 2024)"
        ).fetchone() == (rows, kwh)
    assert value(conn, "select count(*) from raw.ponnot where distribuidora_id = 401") == 4848
