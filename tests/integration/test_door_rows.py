"""The door: rows counted by something else than what lands them, copies, physics, kept sums.

Not here: cells and columns (tests/unit), the rest of a landing (test_landing_bdgd.py).
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa
import pyogrio
import pytest
from pyogrio.raw import read_arrow

from loaders.bdgd import csv_lines, physics, sums
from loaders.bdgd.landing import Options, land
from loaders.bdgd.layers import LAYERS_WITH_ENERGY
from loaders.connection import connect, prepare
from loaders.errors import HeldDelivery, InvalidInput
from loaders.gate import hold, verdict
from loaders.safra import Safra
from loaders.synthetic.writer import generate

DISTRIBUTORS = itertools.count(5001)
HEADER = "COD_ID_ENCR;DIST;LGRD;DAT_CON;ENE_01;DIC_02;DATA_BASE;POINT_X;POINT_Y"

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


def write(folder: Path, *rows: str) -> Path:
    """A CSV of UCMT."""
    file = folder / "ucmt_pj.csv"
    file.write_text("\n".join([HEADER, *rows, ""]))
    return file


def rows_of(dist: int, count: int, *, energy: str = "1.5") -> list[str]:
    """Sound rows, each another unit."""
    return [f"U{n};{dist};RUA;01/02/2020;{energy};2.5;31DEC2024;-51.5;-28.1" for n in range(count)]


def ledger(conn: psycopg.Connection, dist: int, layer: str = "UCMT") -> tuple:
    """Newest execution: status, landed, rejected, note."""
    return conn.execute(
        "select status::text, linhas_processadas, linhas_rejeitadas, observacoes"
        " from intel_lead.import_status where distribuidora_id = %s and camada::text = %s"
        " order by import_id desc limit 1",
        [dist, layer],
    ).fetchone()


def change(gdb: Path, layer: str, function: object) -> Path:
    """The geodatabase with one table put through a function."""
    target = gdb.with_name(f"changed_{gdb.name}")
    for name, kind in pyogrio.list_layers(gdb):
        meta, table = read_arrow(gdb, layer=name)
        if name == layer:
            table = function(table)  # type: ignore[operator]
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


@pytest.mark.parametrize("lost", ["a line", "a block"])
def test_a_reader_that_loses_rows_is_noticed_and_nothing_changes(
    conn: psycopg.Connection,
    dist: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lost: str,
) -> None:
    """The reader is broken on purpose: law 10."""
    file = write(tmp_path, *rows_of(dist, 60))
    whole = csv_lines.Lines._regular

    def broken(self: csv_lines.Lines, block: bytes) -> bytes:
        kept = whole(self, block)
        return kept[: kept.rindex(b"\n", 0, -1) + 1] if lost == "a line" else kept[: len(kept) // 2]

    with monkeypatch.context() as patch:
        patch.setattr(csv_lines.Lines, "_regular", broken)
        with pytest.raises(InvalidInput, match="tem 60 linhas, mas|malformado"):
            land(file, Options())
    assert ledger(conn, dist)[0] == "failed"
    counted = "select count(*) from raw.ucmt where distribuidora_id = %s"
    assert conn.execute(counted, [dist]).fetchone() == (0,)
    land(file, Options())
    assert ledger(conn, dist)[:3] == ("completed", 60, 0)


def test_what_is_impossible_is_rejected_or_null_and_told(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    rows = rows_of(dist, 40)
    rows[1] = rows[1].replace(";1.5;", ";1e308;")
    rows[2] = rows[2].replace(";1.5;", ";-10;")
    rows[3] = rows[3].replace("-51.5;-28.1", "10;10")
    rows[4] = rows[4].replace("01/02/2020", "01/02/2999")
    rows[5] = rows[5].replace("01/02/2020", "31/02/2020")
    rows[6] = rows[6].replace(";2.5;", ";5000;")
    rows[7] = f"U;{dist};curta"
    land(write(tmp_path, *rows), Options())
    status, landed, rejected, note = ledger(conn, dist)
    assert (status, landed, rejected) == ("completed", 38, 2)
    told = [line for line in note.split("; ")[1:] if not line.startswith("faltam no arquivo")]
    assert told == [
        "1 linhas rejeitadas: energia de um mês acima de 100.000.000 kWh",
        "1 linhas rejeitadas: linha com 3 campos, o cabeçalho tem 9",
        "1 valores anulados: coordenada fora do Brasil",
        "1 valores anulados: DAT_CON depois do dia da carga",
        "1 valores sem data para quem lê: DAT_CON que não é data",
    ]
    assert conn.execute(
        "select linha, ene_01, dic_02, dat_con, point_x from raw.ucmt where distribuidora_id = %s"
        " and linha between 3 and 7 order by linha",
        [dist],
    ).fetchall() == [
        (3, -10.0, 2.5, "01/02/2020", -51.5),
        (4, 1.5, 2.5, "01/02/2020", None),
        (5, 1.5, 2.5, None, -51.5),
        (6, 1.5, 2.5, "31/02/2020", -51.5),
        (7, 1.5, 5000.0, "01/02/2020", -51.5),
    ]
    kept = "select linha, registro from raw.rejeitado where distribuidora_id = %s order by linha"
    (two, eight) = conn.execute(kept, [dist]).fetchall()
    assert (two[0], float(two[1]["ene_01"])) == (2, 1e308)
    assert eight == (8, {"texto": f"U;{dist};curta"})


def test_a_layer_twice_in_its_file_is_held_and_its_energy_is_that_of_once(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    once = generate(tmp_path / "a.gdb", ucs=120, distribuidora=dist, faults=[])
    land(once, Options())
    _, landed, rejected, _ = ledger(conn, dist, "UCBT")
    energy = conn.execute(
        "select energia_kwh from controle.entrega where distribuidora_id = %s and camada = 'UCBT'",
        [dist],
    ).fetchone()
    assert rejected == 0
    twice = change(once, "UCBT_tab", lambda table: pa.concat_tables([table, table]))
    with pytest.raises(HeldDelivery, match=f"UCBT: {landed} de {2 * landed} linhas são cópias"):
        land(twice, Options())
    assert ledger(conn, dist, "UCBT")[:3] == ("failed", landed, landed)
    assert (
        conn.execute(
            "select energia_kwh from controle.entrega"
            " where distribuidora_id = %s and camada = 'UCBT' and not aceita",
            [dist],
        ).fetchone()
        == energy
    )
    assert conn.execute(
        "select count(*), count(distinct motivo) from raw.rejeitado where distribuidora_id = %s",
        [dist],
    ).fetchone() == (landed, 1)
    verdict.judge(conn, f"{dist}-2024")
    kept = [f.rule for f in hold.held_for(conn, Safra.from_key(f"{dist}-2024"))]
    assert physics.COPIES in kept, "judged again, what the door saw still stands"


def test_one_copy_in_many_rows_is_rejected_and_holds_nothing(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    rows = rows_of(dist, 120)
    land(write(tmp_path, *rows, rows[7]), Options())
    assert ledger(conn, dist)[:3] == ("completed", 120, 1)


def test_a_unit_with_energy_twice_in_a_month_is_told(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    rows = rows_of(dist, 20)
    land(write(tmp_path, *rows, rows[3].replace(";1.5;", ";2.5;")), Options())
    status, landed, _, note = ledger(conn, dist)
    assert (status, landed) == ("completed", 21)
    assert "1 COD_ID com energia no mesmo mês em linhas diferentes" in note


def kept_sums(conn: psycopg.Connection, dist: int) -> dict[tuple, tuple]:
    """(layer, series, month) → values, sum, greatest of the newest import."""
    return {
        tuple(row[:3]): tuple(row[3:])
        for row in conn.execute(
            "select distinct on (camada, serie, mes) camada, serie, mes, linhas,"
            " round(soma::numeric, 6), maximo from controle.carga_soma"
            " where distribuidora_id = %s order by camada, serie, mes, import_id desc",
            [dist],
        )
    }


def test_the_sums_of_a_landing_are_those_of_the_file_and_are_made_again_from_raw(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    gdb = generate(tmp_path / "a.gdb", ucs=300, distribuidora=dist)
    land(gdb, Options())
    kept = kept_sums(conn, dist)
    assert len(kept) == sum(len(layer.series) * 12 for layer in LAYERS_WITH_ENERGY)
    for layer in LAYERS_WITH_ENERGY:
        name = next(n for n, _ in pyogrio.list_layers(gdb) if n.removesuffix("_tab") == layer.name)
        frame = pyogrio.read_dataframe(gdb, layer=name)
        frame = frame[frame["COD_ID"].str.strip() != ""]
        for serie, month in itertools.product(layer.series, range(1, 13)):
            column = frame[f"{serie.upper()}_{month:02d}"]
            values, total, greatest = kept[layer.name, serie, month]
            assert values == column.count()
            assert float(total) == pytest.approx(column.sum(), abs=1e-5)
            assert greatest == (column.max() if len(column) else None)
    conn.execute("delete from controle.carga_soma where distribuidora_id = %s", [dist])
    sums.complete(conn)
    assert kept_sums(conn, dist) == kept
    assert conn.execute(
        "select distinct fonte from controle.carga_soma where distribuidora_id = %s", [dist]
    ).fetchall() == [("raw",)]
    land(gdb, Options())
    assert kept_sums(conn, dist) == kept
    assert not sums.made_from_raw(conn, [f"{dist}-2024"])
    assert ledger(conn, dist, "UCBT")[0] == "completed"


def test_a_refused_file_leaves_no_sums(conn: psycopg.Connection, dist: int, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="coluna ENE_01"):
        land(write(tmp_path, *rows_of(dist, 30, energy="12.345")), Options())
    assert kept_sums(conn, dist) == {}
    land(write(tmp_path, *rows_of(dist, 30, energy="12.345")), Options(thousands="ponto"))
    assert kept_sums(conn, dist)["UCMT", "ene", 1][1] == 30 * 12345


def test_a_row_without_its_distributor_is_kept_apart_and_the_others_land(
    conn: psycopg.Connection, dist: int, tmp_path: Path
) -> None:
    """Nothing says whose it is: it stands with the file's largest safra, as it was written."""
    rows = [*rows_of(dist, 30), *rows_of(next(DISTRIBUTORS), 10)]
    rows.insert(4, "U;;RUA;2020-02-01;9.5;2.5;31DEC2024;-51.5;-28.1")
    land(write(tmp_path, *rows), Options())
    assert ledger(conn, dist)[:3] == ("completed", 30, 1)
    reason = "DIST em branco; de safra desconhecida, guardada com a maior do arquivo"
    assert conn.execute(
        "select linha, motivo, registro ->> 'ene_01', registro ->> 'dat_con' from raw.rejeitado"
        " where distribuidora_id = %s",
        [dist],
    ).fetchall() == [(5, reason, "9.5", "2020-02-01")]
