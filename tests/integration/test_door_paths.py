"""What the door refuses and accounts for when a path is landed. Not here: reading (tests/unit).

Each test has distributors of its own in one database.
"""

import dataclasses
import itertools
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pyarrow as pa
import pyogrio
import pyogrio.raw
import pytest
from typer.testing import CliRunner

from dagster_pipeline import run, screen
from dagster_pipeline.defs import inbox
from loaders.__main__ import app
from loaders.bdgd import geodatabase, landing
from loaders.bdgd.layers import Layer
from loaders.bdgd.source import Source
from loaders.bdgd.transfer import Batch
from loaders.connection import connect, prepare
from loaders.synthetic.writer import generate

DISTRIBUTORS = itertools.count(3001)

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def dist() -> int:
    """A distributor that no other test loads."""
    return next(DISTRIBUTORS)


@pytest.fixture
def conn(database: dict[str, str]) -> Iterator[psycopg.Connection]:
    with connect() as connection:
        prepare(connection)
        yield connection


def load(*arguments: object) -> int:
    return CliRunner().invoke(app, ["bdgd", *map(str, arguments)]).exit_code


def ledger(conn: psycopg.Connection, dist: int) -> list[tuple]:
    return conn.execute(
        "select camada::text, status::text, linhas_processadas, linhas_rejeitadas,"
        " coalesce(erro, '') from intel_lead.import_status where distribuidora_id = %s"
        " order by import_id",
        [dist],
    ).fetchall()


def spoiled(monkeypatch: pytest.MonkeyPatch, spoil: object) -> None:
    """Let a geodatabase's reader go wrong in UCBT, after it has counted."""
    monkeypatch.setattr(geodatabase, "_ROWS_PER_BATCH", 10)
    opened = geodatabase.opened

    class Reader:
        def __init__(self, *args: object, **kwargs: object) -> None:
            self.opened = opened(*args, **kwargs)

        def __enter__(self) -> Source:
            source = self.opened.__enter__()

            def batches(layer: Layer) -> Iterator[Batch]:
                read = source.batches(layer)
                return spoil(read) if layer.name == "UCBT" else read  # type: ignore[operator]

            return dataclasses.replace(source, batches=batches)

        def __exit__(self, *error: object) -> object:
            return self.opened.__exit__(*error)  # type: ignore[arg-type]

    monkeypatch.setattr(geodatabase, "opened", Reader)


def losing(batches: Iterator[Batch]) -> Iterator[Batch]:
    next(batches)
    yield from batches


def doubling(batches: Iterator[Batch]) -> Iterator[Batch]:
    first = next(batches)
    yield from [first, first, *batches]


@pytest.mark.parametrize("spoil", [losing, doubling])
def test_a_reader_that_loses_or_doubles_a_batch_is_caught(
    conn: psycopg.Connection,
    dist: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: object,
) -> None:
    gdb = generate(tmp_path / "a.gdb", ucs=60, distribuidora=dist)
    spoiled(monkeypatch, spoil)
    assert load(gdb) == 3
    assert {(status, landed) for _, status, landed, *_ in ledger(conn, dist)} <= {
        ("failed", None),
        ("failed", 0),
    }
    assert "camada UCBT" in ledger(conn, dist)[0][-1]
    assert "o arquivo tem" in ledger(conn, dist)[0][-1]
    monkeypatch.undo()
    assert load(gdb) == 0


def changed(gdb: Path, target: Path, layer: str, column: str, value: object) -> Path:
    """The geodatabase with one value in all rows of one column."""
    for name, kind in pyogrio.list_layers(gdb):
        meta, table = pyogrio.raw.read_arrow(gdb, layer=name)
        if name == layer:
            at = table.schema.get_field_index(column)
            field = table.schema.field(at)
            table = table.set_column(at, field, pa.array([value] * len(table), field.type))
        pyogrio.write_arrow(
            table,
            target,
            layer=name,
            driver="OpenFileGDB",
            geometry_name=(meta["geometry_name"] or "wkb_geometry") if kind else None,
            geometry_type=kind,
            crs=meta["crs"] if kind else None,
            append=target.exists(),
        )
    return target


@pytest.mark.parametrize(
    ("layer", "column", "value", "reason"),
    [
        ("UCBT_tab", "COD_ID", " ", "cod_id em branco"),
        ("UCMT_tab", "ENE_03", float("inf"), "energia"),
        ("PONNOT", "COD_ID", " ", "cod_id em branco"),
    ],
)
def test_a_layer_of_which_every_row_is_rejected_is_refused(
    conn: psycopg.Connection,
    dist: int,
    tmp_path: Path,
    layer: str,
    column: str,
    value: object,
    reason: str,
) -> None:
    gdb = generate(tmp_path / "a.gdb", ucs=60, distribuidora=dist)
    assert load(gdb) == 0
    before = ledger(conn, dist)
    assert load(changed(gdb, tmp_path / "b.gdb", layer, column, value)) == 3
    name = layer.removesuffix("_tab")
    for _, status, *_, error in ledger(conn, dist)[len(before) :]:
        assert status == "failed"
        assert f"camada {name}: todas as" in error
        assert reason in error
    (kept,) = conn.execute(
        f"select count(*) from raw.{name.lower()} where distribuidora_id = %s",  # noqa: S608
        [dist],
    ).fetchone()
    assert kept


def test_one_safra_of_a_national_csv_without_a_good_row_is_told_and_holds_no_other(
    conn: psycopg.Connection, dist: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = next(DISTRIBUTORS)
    file = tmp_path / "ucmt_pj.csv"
    rows = [f"A;{dist};NaN;31DEC2024", f"B;{other};5;31DEC2024"]
    file.write_text("\n".join(["COD_ID_ENCR;DIST;ENE_01;DATA_BASE", *rows]))
    assert load(file) == 0
    assert f"todas as linhas da safra {dist}-2024 rejeitadas" in caplog.text
    file.write_text("\n".join(["COD_ID_ENCR;DIST;ENE_01;DATA_BASE", rows[0]]))
    assert load(file, "--forcar") == 3


def filled(folder: Path, dist: int, other: int) -> Path:
    """A geodatabase in a zip that does not say so, a CSV, a spreadsheet and a note, two deep."""
    (folder / "2024").mkdir(parents=True)
    gdb = generate(folder.parent / "a.gdb", ucs=60, distribuidora=dist)
    with zipfile.ZipFile(folder / "2024" / "entrega.zip", "w") as package:
        for file in gdb.iterdir():
            package.write(file, f"x.gdb\\{file.name}")
    (folder / "ucmt_pj_2024.csv").write_text(
        f"COD_ID_ENCR;DIST;ENE_01;DATA_BASE\nA;{other};5;31DEC2024\n"
    )
    (folder / "planilha.xlsx").write_bytes(b"PK\3\4" + bytes(200))
    (folder / "2024" / "leia-me.txt").write_text("nada")
    return folder


def test_a_folder_lands_what_it_holds_and_names_the_rest(
    conn: psycopg.Connection, dist: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    other = next(DISTRIBUTORS)
    folder = filled(tmp_path / "entregas", dist, other)
    assert load(folder, "--dry-run") == 0
    assert ledger(conn, dist) == ledger(conn, other) == []
    for again in (False, True):
        caplog.clear()
        assert load(folder) == 0
        assert "passado por alto: planilha.xlsx: é uma planilha" in caplog.text
        assert "passado por alto: 2024/leia-me.txt: " in caplog.text
        assert caplog.text.count("já carregado") == 2 * again
    assert {status for _, status, *_ in ledger(conn, dist) + ledger(conn, other)} == {"completed"}


def test_the_inbox_and_make_run_see_the_same_as_the_command_line(
    conn: psycopg.Connection, dist: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = filled(tmp_path / "entregas", dist, next(DISTRIBUTORS))
    wanted = ["2024/entrega.zip", "ucmt_pj_2024.csv"]
    passed: dict[str, str] = {}
    assert sorted(inbox.present(folder, passed)) == wanted
    assert sorted(passed) == ["2024/leia-me.txt", "planilha.xlsx"]
    said: list[str] = []
    monkeypatch.setattr(
        screen, "SCREEN", SimpleNamespace(print=lambda text, **_: said.append(text))
    )
    found = run.tasks([folder], conn, run.Report())
    assert [task.path.relative_to(folder).as_posix() for task in found] == wanted
    assert [word for word in ("planilha.xlsx", "leia-me.txt") if word not in " ".join(said)] == []
    steps = landing.steps_for(folder, landing.Options())
    assert [step.args[0] for step in steps] == [task.path for task in found]


def test_one_unreadable_file_of_a_folder_holds_back_no_other(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    folder = filled(tmp_path / "entregas", dist, next(DISTRIBUTORS))
    (folder / "cortado.gdb.zip").write_bytes(b"PK\3\4")
    (folder / "vazio.gdb.zip").write_bytes(b"")
    assert load(folder) == 3
    assert {status for _, status, *_ in ledger(conn, dist)} == {"completed"}
    report = run.Report()
    assert len(run.tasks([folder], conn, report)) == 3
    assert report.code == 3


def test_a_folder_with_nothing_to_land_is_refused_and_recorded(
    conn: psycopg.Connection, tmp_path: Path
) -> None:
    (tmp_path / "planilha.xlsx").write_bytes(b"PK\3\4")
    assert load(tmp_path, "--dry-run") == 3
    assert load(tmp_path) == 3
    (error,) = conn.execute(
        "select erro from intel_lead.import_status order by import_id desc limit 1"
    ).fetchone()
    assert "nada a carregar" in error
    assert "planilha.xlsx: é uma planilha" in error
