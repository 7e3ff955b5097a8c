"""The tools of docs/bi.md that run here read marts as bi_leitor, by the scripts that it shows.

Not here: Superset (tests/bi); what bi_leitor may read (test_roles.py). Skipped with its reason
where a tool is not installed: no test installs one.
"""

import csv
import io
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loaders.environment import to_url
from server import roles
from tests.integration import warehouse as a

SCRIPTS = Path("docs/bi")
Rows = list[tuple[str | None, str | None, int, float]]
NOTHING = ("", "NA")
"""How a CSV writes a null: R has a word for it."""


@pytest.fixture(scope="module")
def login(warehouse: a.Warehouse) -> Iterator[Mapping[str, str]]:
    """bi_leitor's PG*."""
    word = secrets.token_hex(8)
    env = {**warehouse.env, "BI_LEITOR_PASSWORD": word}
    cli = CliRunner()
    done = cli.invoke(roles.app, ["create"], env=env)
    assert done.exit_code == 0, (done.output, done.exception)
    yield {**warehouse.env, "PGUSER": "bi_leitor", "PGPASSWORD": word}
    assert cli.invoke(roles.app, ["drop"], env=dict(warehouse.env)).exit_code == 0


@pytest.fixture(scope="module")
def expected(warehouse: a.Warehouse) -> Rows:
    """The rows of the page's query, as the owner reads them."""
    with warehouse.connect() as conn:
        found = conn.execute((a.CLONE / SCRIPTS / "municipios.sql").read_text(encoding="utf-8"))
        rows = [(name, uf, units, float(mwh)) for name, uf, units, mwh in found]
    assert len(rows) > 1
    return rows


def read(text: str) -> Rows:
    """The rows of a CSV with a head."""
    rows = csv.DictReader(io.StringIO(text))
    return [
        (
            *(None if r[name] in NOTHING else r[name] for name in ("municipio", "uf")),
            int(r["leads"]),
            float(r["energia_mwh"]),
        )
        for r in rows
    ]


def run(login: Mapping[str, str], *command: str | Path) -> str:
    """What a tool says; it sees no other login."""
    env = {**os.environ, **login}
    done = subprocess.run(
        [*map(str, command)], cwd=a.CLONE, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def needs(program: str) -> str:
    """The program, or a skip that says which is missing."""
    found = shutil.which(program)
    if not found:
        pytest.skip(f"{program} não está instalado")
    return found


def test_psql(login: Mapping[str, str], expected: Rows) -> None:
    told = run(login, needs("psql"), "-X", "--csv", "-f", SCRIPTS / "municipios.sql")
    assert read(told) == expected


def test_pandas(login: Mapping[str, str], expected: Rows) -> None:
    told = run(login, sys.executable, SCRIPTS / "municipios.py", to_url(login))
    assert read(told) == expected


def test_r(login: Mapping[str, str], expected: Rows) -> None:
    program = needs("Rscript")
    asked = "quit(status = !any(c('RPostgres', 'RPostgreSQL') %in% rownames(installed.packages())))"
    if subprocess.run([program, "-e", asked], capture_output=True).returncode:
        pytest.skip("o R não tem RPostgres nem RPostgreSQL (Debian: r-cran-rpostgresql)")
    assert read(run(login, program, SCRIPTS / "municipios.R")) == expected


def test_gdal_reads_points_as_qgis_does(login: Mapping[str, str], warehouse: a.Warehouse) -> None:
    """QGIS's own reader of PostgreSQL is another; layers, keys and SRID are found the same way."""
    source = "PG:" + " ".join(
        f"{key}={login[name]}"
        for key, name in (
            *(("host", "PGHOST"), ("port", "PGPORT"), ("dbname", "PGDATABASE")),
            *(("user", "PGUSER"), ("password", "PGPASSWORD")),
        )
    )
    told = run(login, needs("ogrinfo"), "-ro", "-so", source, "marts.lead_com_coordenadas")
    with warehouse.connect() as conn:
        (count,) = conn.execute(
            "select count(*) from marts.lead_com_coordenadas where geom is not null"
        ).fetchone()
    assert f"Feature Count: {count}" in told
    assert 'ID["EPSG",4674]' in told


def test_duckdb(login: Mapping[str, str], expected: Rows) -> None:
    """Skipped where its extension is not there: it is downloaded on first use."""
    import duckdb

    asked = "select installed from duckdb_extensions() where extension_name = 'postgres_scanner'"
    if not any(installed for (installed,) in duckdb.execute(asked).fetchall()):
        pytest.skip("o DuckDB desta máquina não tem a extensão postgres, que ele baixa")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in login.items():
            patch.setenv(name, value)
        text = (a.CLONE / SCRIPTS / "municipios.duckdb.sql").read_text(encoding="utf-8")
        rows = duckdb.sql(text.replace("install postgres;", "")).fetchall()
    assert [(name, uf, units, float(mwh)) for name, uf, units, mwh in rows] == expected
