"""A ``_pj`` CSV beside a geodatabase: each row finds its unit, which gains a place, loses nothing.

Not here: reading such a CSV (unit/test_csv_pj.py), landing it in a layer's place.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pyogrio
import pytest
from typer.testing import CliRunner

from loaders import ledger
from loaders.__main__ import app
from loaders.bdgd import complement
from loaders.bdgd.layers import UCBT
from loaders.connection import connect, prepare
from loaders.synthetic.writer import generate
from tests.integration import warehouse as a

Row = dict[str, Any]
MONTHS = [f"ENE_{m:02d}" for m in range(1, 13)]
PLACE = (-52.5, -28.5)


@pytest.fixture(scope="module")
def conn(database: dict[str, str]) -> Iterator[psycopg.Connection]:
    with connect() as connection:
        prepare(connection)
        yield connection


def run(*arguments: object) -> int:
    return CliRunner().invoke(app, ["bdgd", *map(str, arguments)]).exit_code


def units(geodatabase: Path, *, legal: bool = True) -> list[Row]:
    """Low-voltage rows of a geodatabase that a ``_pj`` CSV has, or the others; with energy."""
    rows = pyogrio.read_dataframe(geodatabase, layer="UCBT_tab", read_geometry=False)
    return [
        row
        for row in rows.to_dict("records")
        if row["CLAS_SUB"].startswith("RE") != legal and sum(row[m] for m in MONTHS) > 0
    ]


def write(file: Path, rows: Sequence[Row], **changed: object) -> Path:
    """The rows as ANEEL's CSV has them, each a little north of the one before."""
    names = ["COD_ID_ENCR", "DIST", "PN_CON", "PAC", "CLAS_SUB", "SIT_ATIV", "LGRD", *MONTHS]
    names += ["DATA_BASE", "POINT_X", "POINT_Y"]
    with file.open("w", encoding="latin-1", newline="") as opened:
        writer = csv.DictWriter(opened, names, delimiter=";", extrasaction="ignore")
        writer.writeheader()
        for n, row in enumerate(rows):
            own = {"COD_ID_ENCR": row["COD_ID"].upper(), "DATA_BASE": "31/12/2024"}
            own |= {"LGRD": "RUA A", "POINT_X": PLACE[0], "POINT_Y": PLACE[1] + n / 1000}
            writer.writerow(row | own | changed | row.get("como", {}))
    return file


def found(conn: psycopg.Connection, dist: int) -> dict[str, tuple[str | None, ...]]:
    """COD_ID of the CSV → the unit, how it was found, why not."""
    rows = conn.execute(
        "select cod_id, uc, correspondencia, motivo from raw.complemento"
        " where distribuidora_id = %s",
        [dist],
    )
    return {code: tuple(rest) for code, *rest in rows}


def note(conn: psycopg.Connection, dist: int, layer: str = "COMPLEMENTO_UCBT") -> str:
    return a.value(
        conn,
        "select observacoes from intel_lead.import_status where distribuidora_id = %s"
        " and camada = %s::intel_lead.camada_enum order by import_id desc limit 1",
        [dist, layer],
    )


def state(conn: psycopg.Connection, dist: int) -> tuple[object, ...]:
    return tuple(
        a.value(conn, f"select string_agg(t::text, ' ' order by t::text) from {table} as t where"
                      f" distribuidora_id = {dist}")
        for table in ("intel_lead.import_status", "controle.safra_importada", "raw.complemento")
    )  # fmt: skip


@pytest.fixture(scope="module")
def geodatabase(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("complemento")
    return generate(folder / "a.gdb", ucs=150, distribuidora=3001, faults=["at_ds"])


def test_each_row_finds_its_unit_by_code_else_by_network_and_energy(
    conn: psycopg.Connection, geodatabase: Path, tmp_path: Path
) -> None:
    assert run(geodatabase) == 0
    by_code, moved, by_network, twin, other, dark, alien, again = units(geodatabase)[:8]
    one = a.value(
        conn, "select cod_id from raw.ucbt where distribuidora_id = 3001 and cod_id = %s",
        [twin["COD_ID"]],
    )  # fmt: skip
    # A unit beside it with the same point and months: which of the two it is, nobody can say.
    months = ", ".join(f"{m.lower()} = t.{m.lower()}" for m in MONTHS)
    conn.execute(
        f"update raw.ucbt as u set pn_con = t.pn_con, pac = t.pac, {months} from raw.ucbt as t"
        " where u.distribuidora_id = 3001 and t.distribuidora_id = 3001 and t.cod_id = %s"
        " and u.cod_id = (select cod_id from raw.ucbt where distribuidora_id = 3001"
        "  and clas_sub like 'RE%%' limit 1)",
        [one],
    )
    rows = [
        by_code,
        moved | {"como": {"ENE_01": 1.0, "PAC": "NOVO"}},
        by_network | {"como": {"COD_ID_ENCR": "CODIGO1", "ENE_01": by_network["ENE_01"] + 0.004}},
        twin | {"como": {"COD_ID_ENCR": "CODIGO2"}},
        other | {"como": {"PN_CON": "X", "PAC": "Y", "ENE_01": 1.0}},
        dark | {"como": {"COD_ID_ENCR": "CODIGO3"} | dict.fromkeys(MONTHS, 0)},
        alien | {"como": {"COD_ID_ENCR": "CODIGO4", "ENE_12": alien["ENE_12"] + 1}},
        again | {"como": {"COD_ID_ENCR": "CODIGO5"}},
        again | {"como": {"COD_ID_ENCR": "CODIGO6", "LGRD": "RUA B"}},
    ]
    before = a.value(conn, "select count(*) from raw.ucbt where distribuidora_id = 3001")
    assert run("--complemento", write(tmp_path / "ucbt_pj.csv", rows)) == 0
    assert found(conn, 3001) == {
        by_code["COD_ID"].upper(): (by_code["COD_ID"], "cod_id", None),
        moved["COD_ID"].upper(): (moved["COD_ID"], "cod_id", None),
        "CODIGO1": (by_network["COD_ID"], "pn_con_pac_energia", None),
        "CODIGO2": (None, None, "de mais de uma unidade"),
        other["COD_ID"].upper(): (
            None, None, "com o COD_ID de uma unidade e PN_CON, PAC e energia de outra",
        ),
        "CODIGO3": (None, None, "de COD_ID desconhecido, sem PN_CON, PAC ou energia"),
        "CODIGO4": (None, None, "de unidade que a geodatabase não tem"),
        "CODIGO5": (None, None, "de unidade que outra linha também tem"),
        "CODIGO6": (None, None, "de unidade que outra linha também tem"),
    }  # fmt: skip
    assert note(conn, 3001).startswith(
        "complemento de UCBT: 3 de 9 linhas (33,3%) acham a sua unidade: 2 por COD_ID, 1 por"
        " PN_CON, PAC e energia; sem unidade: "
    )
    assert a.value(conn, "select count(*) from raw.ucbt where distribuidora_id = 3001") == before
    assert a.value(conn, "select count(lgrd) from raw.complemento where lgrd <> ''") == 9


def test_the_same_file_again_changes_nothing_and_in_the_layers_place_it_is_another_landing(
    conn: psycopg.Connection, geodatabase: Path, tmp_path: Path
) -> None:
    assert run(geodatabase) == 0
    file = write(tmp_path / "ucbt_pj.csv", units(geodatabase)[:5])
    assert run("--complemento", file) == 0
    before = state(conn, 3001)
    assert run("--complemento", file) == 0
    assert state(conn, 3001) == before
    assert ledger.already_landed(conn, _sha(conn, file), None) == []
    assert run(file) == 3  # beside or in place: it must be said
    assert run("--complemento", "--substituir", file) == 2


def _sha(conn: psycopg.Connection, file: Path) -> str:
    return a.value(
        conn, "select sha256 from intel_lead.import_status where arquivo = %s limit 1", [file.name]
    )


def test_a_new_geodatabase_keeps_the_complement_and_finds_its_units_again(
    conn: psycopg.Connection, tmp_path: Path
) -> None:
    first = generate(tmp_path / "a.gdb", ucs=150, distribuidora=3002)
    assert run(first) == 0
    rows = units(first)
    gone = [
        row | {"como": {"COD_ID_ENCR": "SO_NA_NOVA", "PN_CON": "P9", "PAC": "N9"}}
        for row in rows[:1]
    ]
    assert run("--complemento", write(tmp_path / "ucbt_pj.csv", [*gone, *rows[1:6]])) == 0
    assert "5 de 6 linhas (83,3%)" in note(conn, 3002)
    ids = "select import_id from controle.safra_importada where distribuidora_id = 3002"
    landed = a.value(conn, ids)
    again = tmp_path / "b.gdb"
    first.rename(again)
    conn.execute("delete from raw.complemento where distribuidora_id = 3002 and linha = 6")
    assert run("--forcar", again) == 0
    assert len(found(conn, 3002)) == 5
    assert "complemento de UCBT: 4 de 5 linhas (80,0%)" in note(conn, 3002, "UCBT")
    assert a.value(conn, ids) > landed


def test_it_goes_with_its_safra_and_comes_back_by_itself_no_more(
    conn: psycopg.Connection, tmp_path: Path
) -> None:
    base = generate(tmp_path / "a.gdb", ucs=100, distribuidora=3003)
    assert run(base) == 0
    file = write(tmp_path / "ucbt_pj.csv", units(base)[:5])
    assert run("--complemento", file) == 0
    cli = CliRunner()
    assert cli.invoke(app, ["remover", "3003-2024", "--motivo", "teste"]).exit_code == 0
    assert found(conn, 3003) == {}
    leaves = "select count(*) from pg_class where relname like '%%\\_3003\\_2024%%'"
    assert a.value(conn, leaves + " and relkind = 'r'", []) == 0
    assert run("--complemento", file) == 3
    assert run(base) == 0
    assert found(conn, 3003) == {}
    assert run("--complemento", file) == 0
    assert len(found(conn, 3003)) == 5


def test_without_a_layer_to_stand_beside_it_is_refused_and_a_dry_run_lands_nothing(
    conn: psycopg.Connection, geodatabase: Path, tmp_path: Path
) -> None:
    file = write(tmp_path / "ucbt_pj.csv", units(geodatabase)[:5], DIST=3004)
    before = state(conn, 3004)
    assert run("--complemento", "--dry-run", file) == 0
    assert state(conn, 3004) == before
    assert run("--complemento", file) == 3
    said = a.value(
        conn, "select erro from intel_lead.import_status order by import_id desc limit 1"
    )
    assert "o armazém não tem UCBT de 3004-2024" in said
    assert run("--complemento", geodatabase) == 3


def test_a_row_that_is_lost_on_the_way_to_its_unit_refuses_the_file(
    conn: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = generate(tmp_path / "a.gdb", ucs=80, distribuidora=3007)
    assert run(base) == 0
    real = complement._find_units

    def one_less(*given: object) -> dict[str, tuple[int, str]]:
        return {layer: (rows - 1, said) for layer, (rows, said) in real(*given).items()}

    monkeypatch.setattr(complement, "_find_units", one_less)
    assert run("--complemento", write(tmp_path / "ucbt_pj.csv", units(base)[:5])) == 3
    assert found(conn, 3007) == {}


def test_of_a_national_file_what_has_a_geodatabase_lands_and_more_when_more_has(
    conn: psycopg.Connection, tmp_path: Path
) -> None:
    bases = [generate(tmp_path / f"{d}.gdb", ucs=80, distribuidora=d) for d in (3005, 3006)]
    rows = [row for base in bases for row in units(base)[:4]]
    file = write(tmp_path / "ucbt_pj.csv", rows)
    assert run(bases[0]) == 0
    assert run("--complemento", file) == 0
    assert (len(found(conn, 3005)), len(found(conn, 3006))) == (4, 0)
    assert ledger.PARTIAL in note(conn, 3005)
    assert run(bases[1]) == 0
    assert run("--complemento", file) == 0
    assert (len(found(conn, 3005)), len(found(conn, 3006))) == (4, 4)


def test_a_legal_persons_unit_gets_its_own_place_and_nothing_else_changes(
    warehouse: a.Warehouse, files: Mapping[str, Path], tmp_path: Path
) -> None:
    """The one build: the safra is made anew because of the complement, and published."""
    active = [row for row in units(files["antiga"]) if row["SIT_ATIV"] == "AT"]
    shops = [row for row in active if row["CLAS_SUB"] in ("IN", "CO", "CO1")]
    farmers = [row for row in active if row["CLAS_SUB"] in ("RU1", "RU1A", "RU1B", "RU2")]
    chosen = [*shops[:6], *farmers[:2]]
    assert len(chosen) == 8
    file = write(tmp_path / "ucbt_pj.csv", chosen)
    where = "distribuidora_id = 401"
    with warehouse.connect() as reader:
        tables = ("intel_lead.lead_energia_mensal", "intel_lead.lead_historico",
                  "marts.mart_perda_alimentador", "intel_lead.ponto_notavel")  # fmt: skip
        before = a.contents(reader, *tables, where=where)
        leads = a.value(reader, f"select count(*) from intel_lead.lead_bruto where {where}")
        done = a.Running(a._loaders, ["bdgd", "--complemento", str(file)], env=warehouse.env).wait()
        assert done.ok, done.trouble
        warehouse.judge()
        done = warehouse.build()
        assert done.ok, done.trouble
        own = reader.execute(
            f"select cod_id, latitude_final, longitude_final from intel_lead.lead_com_coordenadas"
            f" where origem_coordenada = 'uc' and {where}"
        ).fetchall()
        assert sorted(own) == sorted(
            (row["COD_ID"], PLACE[1] + n / 1000, PLACE[0]) for n, row in enumerate(chosen[:6])
        )
        in_mart = f"select count(*) from marts.mart_lead where origem_coordenada = 'uc' and {where}"
        assert a.value(reader, in_mart) == 6
        assert a.contents(reader, *tables, where=where) == before
        assert a.value(reader, f"select count(*) from intel_lead.lead_bruto where {where}") == leads
        assert UCBT.name in a.value(
            reader, "select observacoes from intel_lead.import_status"
            " where camada = 'COMPLEMENTO_UCBT'"
        )  # fmt: skip
