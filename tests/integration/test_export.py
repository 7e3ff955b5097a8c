"""Exports of a built warehouse: the same rows in other programs, nobody's contacts, whole or none.

Not here: who may read which table in the database (test_roles.py).
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import duckdb
import geopandas
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from exports import make
from exports.licence import ATTRIBUTION
from loaders.companies.contacts import CONTACTS
from loaders.errors import DatabaseFailure, InvalidInput
from server import roles
from tests.integration import warehouse as a
from tests.integration.test_reader import LEGAL_BY_CODE

KEYS = {"401-2024", "404-2024"}
RSCRIPT = shutil.which("Rscript")
R_READERS = ("arrow", "nanoparquet", "duckdb")


@pytest.fixture(autouse=True)
def here(warehouse: a.Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """PGDATABASE is the module's warehouse."""
    monkeypatch.setenv("PGDATABASE", warehouse.env["PGDATABASE"])


@pytest.fixture(scope="module")
def exported(warehouse: a.Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One export of all of it."""
    with pytest.MonkeyPatch.context() as patch, warehouse.connect() as conn:
        patch.setenv("PGDATABASE", warehouse.env["PGDATABASE"])
        return make.export(conn, tmp_path_factory.mktemp("exportacao"))


@pytest.fixture
def login(warehouse: a.Warehouse) -> Iterator[None]:
    """The roles, gone when the test ends."""
    run = CliRunner()
    made = run.invoke(roles.app, ["create"], env={**warehouse.env, "BI_LEITOR_PASSWORD": "leitor"})
    assert made.exit_code == 0, made.output
    yield
    assert run.invoke(roles.app, ["drop"], env=dict(warehouse.env)).exit_code == 0


def manifest(folder: Path) -> dict[str, dict]:
    """What an export says of its tables, by name."""
    told = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    return {resource["name"]: resource for resource in told["resources"]}


def table(folder: Path, name: str) -> pa.Table:
    """All files of a table."""
    return ds.dataset(folder / name.replace(".", "/"), format="parquet").to_table()


def asked(conn: psycopg.Connection, name: str, columns: list[str]) -> dict[str, object]:
    """Rows, values that are there and sums of a table, as PostgreSQL says."""
    parts = ["count(*) as linhas"]
    for column, kind in conn.execute(
        "select attname, format_type(atttypid, null) from pg_attribute"
        " where attrelid = %s::regclass and attname = any(%s) order by 1",
        [name, columns],
    ):
        parts.append(f'count("{column}") as "n {column}"')
        if kind in ("smallint", "integer", "bigint", "numeric", "double precision"):
            parts.append(f'sum("{column}")::float8 as "soma {column}"')
        elif kind in ("text", "uuid", "jsonb") or kind.endswith("enum"):
            parts.append(f'sum(octet_length("{column}"::text))::float8 as "soma {column}"')
        elif kind == "boolean":
            parts.append(f'sum("{column}"::integer)::float8 as "soma {column}"')
    with conn.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute(f"select {', '.join(parts)} from {name}").fetchone()


def told(found: pa.Table) -> dict[str, object]:
    """The same of a file's rows."""
    said: dict[str, object] = {"linhas": found.num_rows}
    for column in found.column_names:
        values, kind = found[column], found[column].type
        said[f"n {column}"] = len(values) - values.null_count
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            said[f"soma {column}"] = pc.sum(pc.cast(values, "float64")).as_py()
        elif pa.types.is_string(kind):
            said[f"soma {column}"] = pc.sum(pc.binary_length(values)).as_py()
        elif pa.types.is_boolean(kind):
            said[f"soma {column}"] = pc.sum(pc.cast(values, "int64")).as_py()
    return said


def test_every_column_of_every_table_has_postgresqls_rows_values_and_sums(
    exported: Path, conn: psycopg.Connection
) -> None:
    names = a.relations(conn, "marts")
    assert len(names) > 50
    assert sorted(manifest(exported)) == names
    for name in names:
        found = table(exported, name)
        expected = asked(conn, name, found.column_names)
        mine = told(found)
        assert mine.keys() == expected.keys(), name
        for value, right in expected.items():
            assert mine[value] == (None if right is None else pytest.approx(right)), (name, value)
    assert table(exported, "marts.lead_energia_mensal").num_rows > 500


def test_a_file_is_one_safra_and_what_is_of_none_is_in_another(
    conn: psycopg.Connection, tmp_path: Path
) -> None:
    conn.execute(
        "create view marts.zz_anos as select ano::smallint, distribuidora_id, x from (values"
        " (2024, 401, 1), (2024, 404, 2), (2019, 401, 4), (2024, null, 8), (null, 401, 16))"
        " as v (ano, distribuidora_id, x)"
    )
    try:
        whole = manifest(make.export(conn, tmp_path / "tudo"))
        chosen = manifest(make.export(conn, tmp_path / "uma", ["404-2024"]))
    finally:
        conn.execute("drop view marts.zz_anos")
    names = [(file["safra"], file["linhas"]) for file in whole["marts.zz_anos"]["arquivos"]]
    assert names == [("401-2024", 1), ("404-2024", 1), (None, 3)]
    others = pq.read_table(tmp_path / "tudo" / "atual" / "marts" / "zz_anos" / "outras.parquet")
    assert sorted(others["x"].to_pylist()) == [4, 8, 16]
    assert [file["safra"] for file in chosen["marts.zz_anos"]["arquivos"]] == ["404-2024"]
    assert whole["marts.resumo_municipio"]["path"] == ["marts/resumo_municipio/tudo.parquet"]


def test_the_manifest_says_what_there_is_and_every_file_is_as_it_says(
    exported: Path, conn: psycopg.Connection
) -> None:
    told_of_all = json.loads((exported / "datapackage.json").read_text(encoding="utf-8"))
    assert told_of_all["attribution"] == ATTRIBUTION
    assert told_of_all["licenses"][0]["name"] == "ODbL-1.0"
    published = {
        (f"{d}-{y}", at.isoformat(), import_id)
        for d, y, at, import_id in conn.execute(
            "select distribuidora_id, ano, publicada_em, import_id from intel_lead.safra_publicada"
        )
    }
    assert {(s["safra"], s["publicada_em"], s["import_id"]) for s in told_of_all["safras"]} == (
        published
    )
    files = {file["path"]: file for r in told_of_all["resources"] for file in r["arquivos"]}
    there = {str(path.relative_to(exported)) for path in exported.rglob("*.parquet")}
    assert there == set(files)
    for path, file in files.items():
        content = (exported / path).read_bytes()
        assert (len(content), f"sha256:{sha256(content).hexdigest()}") == (
            file["bytes"],
            file["hash"],
        )
    lead = manifest(exported)["marts.mart_lead"]
    fields = {field["name"]: field for field in lead["schema"]["fields"]}
    assert fields["geom"]["tipo"] == "geometry(Point,4674)"
    assert all(field["description"] for field in fields.values())
    described = pq.read_schema(exported / lead["path"][0]).field("uc_id").metadata
    assert described[b"description"].decode() == fields["uc_id"]["description"]


def test_duckdb_says_what_postgresql_says(exported: Path, conn: psycopg.Connection) -> None:
    """The query of docs/bi.md."""
    mine = duckdb.sql(
        f"""
        select l.municipio, m.mes, sum(m.energia_total) as energia_kwh
        from '{exported}/marts/vw_lead_completo_detalhado/*.parquet' as l
        inner join '{exported}/marts/lead_energia_mensal/*.parquet' as m
            using (uc_id, ano, distribuidora_id)
        group by all order by all"""
    ).fetchall()
    theirs = conn.execute(
        "select l.municipio, m.mes, sum(m.energia_total) from marts.vw_lead_completo_detalhado as l"
        " inner join marts.lead_energia_mensal as m using (uc_id, ano, distribuidora_id)"
        ' group by 1, 2 order by l.municipio collate "C", 2'
    ).fetchall()
    assert len(mine) > 12
    assert [row[:2] for row in mine] == [row[:2] for row in theirs]
    assert [row[2] for row in mine] == pytest.approx([row[2] for row in theirs])


@pytest.mark.parametrize("name", ["mart_lead", "mart_hexagono", "mart_contorno"])
def test_geopandas_finds_places_where_postgis_has_them(
    exported: Path, conn: psycopg.Connection, name: str
) -> None:
    found = geopandas.read_parquet(exported / "marts" / name)
    assert found.crs.to_epsg() == 4674
    x, y, area, n = conn.execute(
        "select sum(st_x(st_centroid(geom))), sum(st_y(st_centroid(geom))), sum(st_area(geom)),"
        f" count(geom) from marts.{name}"
    ).fetchone()
    shapes = found.geometry[found.geometry.notna()]
    assert len(shapes) == n > 0
    with pytest.warns(UserWarning, match="geographic CRS"):
        mine = [shapes.centroid.x.sum(), shapes.centroid.y.sum(), shapes.area.sum()]
    assert mine == pytest.approx([x, y, area])


@pytest.mark.skipif(RSCRIPT is None, reason="sem R: sudo apt-get install r-base-core")
def test_r_says_what_postgresql_says(exported: Path, conn: psycopg.Connection) -> None:
    found = subprocess.run(
        [
            RSCRIPT,
            "-e",
            f"cat(Filter(\\(p) requireNamespace(p, quietly = TRUE), c{R_READERS})[1])",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    if found not in R_READERS:
        pytest.skip(f"R sem nenhum de {', '.join(R_READERS)}: install.packages('nanoparquet')")
    file = exported / "marts" / "lead_energia_mensal" / "401-2024.parquet"
    read = {
        "arrow": f"as.data.frame(arrow::read_parquet('{file}'))",
        "nanoparquet": f"nanoparquet::read_parquet('{file}')",
        "duckdb": f"DBI::dbGetQuery(DBI::dbConnect(duckdb::duckdb()), \"select * from '{file}'\")",
    }[found]
    done = subprocess.run(
        [RSCRIPT, "-e", f"x <- {read}; cat(nrow(x), sprintf('%.6f', sum(x$energia_total)))"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows, energy = done.stdout.split()
    n, total = conn.execute(
        "select count(*), sum(energia_total) from marts.lead_energia_mensal"
        " where (distribuidora_id, ano) = (401, 2024)"
    ).fetchone()
    assert (int(rows), float(energy)) == (n, pytest.approx(total))


def test_nobodys_contacts_and_no_natural_person(exported: Path, conn: psycopg.Connection) -> None:
    legal = {
        str(uc_id)
        for (uc_id,) in conn.execute(
            f"select uc_id from intel_lead.lead_bruto as l where {LEGAL_BY_CODE}"
        )
    }
    assert 0 < len(legal) < a.value(conn, "select count(*) from intel_lead.lead_bruto")
    with_units = 0
    for path in exported.rglob("*.parquet"):
        found = pq.read_table(path)
        assert not CONTACTS & set(found.column_names), path
        if "uc_id" in found.column_names and found.num_rows:
            with_units += 1
            assert {u for u in found["uc_id"].to_pylist() if u} <= legal, path
    assert with_units > 20


def test_only_chosen_safras_and_a_dry_run_writes_nothing(
    warehouse: a.Warehouse, conn: psycopg.Connection, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "exports", "404-2024", "--destino", str(tmp_path / "x")]
    env = {**os.environ, **warehouse.env}
    dry = subprocess.run([*command, "--ensaio"], env=env, capture_output=True, text=True)
    assert dry.returncode == 0, dry.stderr
    assert "nada foi escrito" in dry.stdout
    assert not (tmp_path / "x").exists()
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, f"{tmp_path}/x/atual"), done.stderr
    found = table(tmp_path / "x" / "atual", "marts.lead_energia_mensal")
    assert set(found["distribuidora_id"].to_pylist()) == {404}
    bad = subprocess.run([*command, "401-1999"], env=env, capture_output=True, text=True)
    assert (bad.returncode, "401-1999" in bad.stderr, "há 401-2024" in bad.stderr) == (
        3,
        True,
        True,
    )


@pytest.fixture
def slow(conn: psycopg.Connection, warehouse: a.Warehouse) -> Iterator[psycopg.Connection]:
    """A last table that is counted at once and read when this connection says so."""
    # Said to be stable, so that a count does without it.
    conn.execute(
        "create function public.espera() returns integer language plpgsql stable as"
        " 'begin perform pg_advisory_xact_lock_shared(7); return 1; end'"
    )
    conn.execute("create view marts.zz_espera as select 1 as um, public.espera() as b")
    with warehouse.connect() as holder:
        holder.execute("select pg_advisory_lock(7)")
        yield holder
    conn.execute("drop view marts.zz_espera; drop function public.espera()")


def test_killed_in_the_middle_the_export_before_stands_and_nothing_is_published_meanwhile(
    warehouse: a.Warehouse,
    slow: psycopg.Connection,
    exported: Path,
    tmp_path: Path,
) -> None:
    dest = tmp_path / "exportacao"
    shutil.copytree(exported.parent, dest, symlinks=True)
    before = (dest / "atual").readlink()
    command = [sys.executable, "-m", "exports", "--destino", str(dest)]
    killed = subprocess.Popen(command, env={**os.environ, **warehouse.env})
    waiting = (
        "select count(*) from pg_locks where locktype = 'advisory' and objid = 7 and not granted"
    )
    a.until(lambda: a.value(slow, waiting) == 1)
    swap = "select pg_try_advisory_xact_lock(hashtext('intel_lead.publicacao'))"
    assert a.value(slow, swap) is False
    killed.kill()
    killed.wait()
    assert (dest / "atual").readlink() == before
    assert list(dest.glob(".unfinished-*/marts/mart_lead/*.parquet"))
    assert manifest(dest / "atual").keys() == manifest(exported).keys()

    slow.execute("select pg_advisory_unlock(7)")
    done = subprocess.run(command, env={**os.environ, **warehouse.env})
    assert done.returncode == 0
    assert (dest / "atual").readlink() != before
    assert "marts.zz_espera" in manifest(dest / "atual")
    assert list(dest.glob(".unfinished-*")) == []


BROKEN = {
    "unreadable": ("select ano / (ano - ano) as x from marts.safra_publicada", "zz_quebrada"),
    "fewer than counted": (
        "select 1 as x where pg_backend_pid() = {pid}",
        "0 linhas lidas, 1 contadas",
    ),
}


@pytest.mark.parametrize(("view", "said"), BROKEN.values(), ids=BROKEN)
def test_a_column_that_cannot_be_read_leaves_the_export_before(
    conn: psycopg.Connection, exported: Path, tmp_path: Path, view: str, said: str
) -> None:
    dest = tmp_path / "exportacao"
    shutil.copytree(exported.parent, dest, symlinks=True)
    conn.execute("create view marts.zz_quebrada as " + view.format(pid=conn.info.backend_pid))
    try:
        with pytest.raises(DatabaseFailure, match=said):
            make.export(conn, dest)
    finally:
        conn.execute("drop view marts.zz_quebrada")
    assert (dest / "atual").readlink() == exported.readlink()
    assert list(dest.glob(".unfinished-*")) == []


def test_what_a_reader_of_the_last_export_misses_is_said(
    conn: psycopg.Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    conn.execute("create view marts.zz_muda as select 1 as a, 2 as b")
    make.export(conn, tmp_path, ["401-2024"])
    conn.execute("drop view marts.zz_muda")
    conn.execute("create view marts.zz_muda as select 1.5::float8 as a")
    caplog.clear()
    make.export(conn, tmp_path, ["401-2024"])
    said = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert said == [
        "marts.zz_muda: a coluna a era integer e é double precision",
        "marts.zz_muda: a coluna b não está mais na exportação",
    ]
    conn.execute("drop view marts.zz_muda")
    caplog.clear()
    make.export(conn, tmp_path, ["401-2024"])
    assert "marts.zz_muda não está mais na exportação" in caplog.text
    # The one before stays for who is reading it; no more than that.
    assert len(list(tmp_path.glob("exportacao-*"))) == 2


def test_everything_is_the_owners_alone(
    login: None, conn: psycopg.Connection, warehouse: a.Warehouse, tmp_path: Path
) -> None:
    reader = {"dbname": warehouse.env["PGDATABASE"], "user": "bi_leitor", "password": "leitor"}
    with (
        psycopg.connect(**reader, autocommit=True) as own,
        pytest.raises(InvalidInput, match="bi_leitor não é o dono deste banco"),
    ):
        make.export(own, tmp_path / "x", complete=True)
    assert not (tmp_path / "x").exists()

    dest = make.export(conn, tmp_path / "dono", ["401-2024"], complete=True)
    units = table(dest, "intel_lead.lead_bruto")
    expected = "select count(*) from intel_lead.lead_bruto where distribuidora_id = 401"
    assert units.num_rows == a.value(conn, expected)
    assert dest.resolve().stat().st_mode & 0o077 == 0
    for name, resource in manifest(dest).items():
        assert not CONTACTS & {f["name"] for f in resource["schema"]["fields"]}, name


def test_a_reader_exports_what_it_reads(
    login: None, warehouse: a.Warehouse, exported: Path, tmp_path: Path
) -> None:
    env = {**os.environ, **warehouse.env, "PGUSER": "bi_leitor", "PGPASSWORD": "leitor"}
    command = [sys.executable, "-m", "exports", "--destino", str(tmp_path)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    mine, theirs = manifest(tmp_path / "atual"), manifest(exported)
    assert {name: r["linhas"] for name, r in mine.items()} == {
        name: r["linhas"] for name, r in theirs.items()
    }
    said = json.loads((tmp_path / "atual" / "datapackage.json").read_text())
    assert said["lida_como"] == "bi_leitor"


def test_a_folder_that_is_not_ours_is_refused(conn: psycopg.Connection, tmp_path: Path) -> None:
    (tmp_path / "atual").mkdir()
    with pytest.raises(InvalidInput, match="não é de uma exportação"):
        make.export(conn, tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidInput, match="não foi escrita"):
        make.export(conn, tmp_path / "file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["atual", "file"]
