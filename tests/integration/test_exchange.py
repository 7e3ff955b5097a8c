"""Exchange with R on a built warehouse, with real R both ways. Not here: the contract (unit)."""

import csv
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from loaders.__main__ import app
from loaders.exchange.contract import COLUMNS
from loaders.exchange.export import SCR
from tests.integration import warehouse as a
from tests.integration.test_reader import LEGAL_BY_CODE

SCRIPT = a.CLONE / "docs" / "r" / "previsao.R"
RSCRIPT = shutil.which("Rscript")


def run(warehouse: a.Warehouse, *arguments: object) -> Result:
    done = CliRunner().invoke(app, ["r", *map(str, arguments)], env=dict(warehouse.env))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened, delimiter=";"))


def number(text: str) -> float:
    return float(text.replace(",", "."))


@pytest.fixture(scope="module")
def exported(
    warehouse: a.Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("r")
    files = {what: folder / f"{what}.csv" for what in ("unidades", "municipios", "series")}
    for what, file in files.items():
        done = run(warehouse, "exportar", what, "--saida", file)
        assert done.exit_code == 0, done.output
    return files


def test_units_are_legal_persons_in_the_sixteen_columns(
    exported: Mapping[str, Path], conn: psycopg.Connection
) -> None:
    found = rows(exported["unidades"])
    assert list(found[0]) == SCR
    legal = a.value(conn, f"select count(*) from intel_lead.lead_bruto as l where {LEGAL_BY_CODE}")
    assert len(found) == legal < a.value(conn, "select count(*) from intel_lead.lead_bruto")
    power = a.value(
        conn,
        "select sum(carga_instalada_kw)::float8 from intel_lead.lead_bruto as l"
        f" where {LEGAL_BY_CODE}",
    )
    total = sum(
        number(row["potencia_instalada_kw"]) for row in found if row["potencia_instalada_kw"]
    )
    assert total == pytest.approx(power)
    assert {row["tipo_consumidor"] for row in found} == {"PJ"}


def test_small_cells_are_neither_municipios_nor_series(
    exported: Mapping[str, Path], conn: psycopg.Connection
) -> None:
    hidden = {
        name
        for (name,) in conn.execute("select municipio from marts.resumo_municipio where suprimido")
    }
    shown = {row["municipio"] for row in rows(exported["municipios"])}
    assert hidden
    assert not hidden & shown
    small = set(
        conn.execute(
            "select distribuidora_id::text, nivel, serie_id from intel_lead.safra_serie"
            " where suprimido"
        ).fetchall()
    )
    there = {
        (row["distribuidora_id"], row["nivel"], row["serie_id"]) for row in rows(exported["series"])
    }
    assert small
    assert there
    assert not small & there


@pytest.mark.skipif(RSCRIPT is None, reason="sem R: sudo apt-get install r-base-core")
def test_r_reads_what_we_write_and_we_score_what_it_predicts(
    warehouse: a.Warehouse, exported: Mapping[str, Path], conn: psycopg.Connection, tmp_path: Path
) -> None:
    """R learns from January to June, and is asked of July to December by what the safra has."""
    made = tmp_path / "previsoes.csv"
    done = subprocess.run(
        [RSCRIPT, SCRIPT, exported["series"], exported["unidades"], made, "2024-06"],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(rows(exported['unidades']))} unidades" in done.stdout
    said = run(warehouse, "importar", made)
    assert said.exit_code == 0, said.output
    assert "já carregado, nada mudou" in run(warehouse, "importar", made).output
    key = ("distribuidora_id", "nivel", "serie_id", "competencia")
    actual = {
        tuple(row[k] for k in key): number(row["energia_kwh"]) for row in rows(exported["series"])
    }
    errors: dict[tuple[str, ...], list[float]] = {}
    for row in rows(made):
        happened = actual.get(tuple(row[k] for k in key))
        if happened is not None:
            one = errors.setdefault(tuple(row[k] for k in key[:3]), [])
            one.append(abs(number(row["media"]) - happened))
    assert errors
    found = conn.execute(
        "select distribuidora_id::text, nivel, serie_id, mae, mase, ano, publicado"
        " from marts.mart_desempenho_modelo"
        " where tipo = 'externo' and modelo = 'media_do_mes_r' and mae is not null"
    ).fetchall()
    assert {row[:3]: row[3] for row in found} == {
        series: pytest.approx(sum(e) / len(e)) for series, e in errors.items()
    }
    assert {row[4:] for row in found} == {(None, 2024, False)}


def test_a_file_lands_whole_or_not_at_all_and_takes_the_place_of_its_model(
    warehouse: a.Warehouse, exported: Mapping[str, Path], conn: psycopg.Connection, tmp_path: Path
) -> None:
    one = rows(exported["series"])[0]
    top = ";".join(COLUMNS)
    row = f"1;{one['distribuidora_id']};{one['nivel']};{{}};{{}};ets_r;{{}};0;9e9;2024-12"
    file, landed = (
        tmp_path / "p.csv",
        "select count(*) from raw.previsao_externa where modelo = 'ets_r'",
    )

    def say(*lines: str) -> Result:
        file.write_text("\n".join([top, *lines]) + "\n")
        return run(warehouse, "importar", file)

    good = [row.format(one["serie_id"], month, 5) for month in ("2025-01", "2025-02")]
    assert say(*good, row.format("nenhuma", "2025-01", 5)).exit_code == 3
    assert a.value(conn, landed) == 0
    assert say(*good).exit_code == 0
    done = say(row.format(one["serie_id"], "2025-03", 6))
    assert (done.exit_code, "no lugar de 2 de antes" in done.output) == (0, True)
    assert a.value(conn, landed) == 1
