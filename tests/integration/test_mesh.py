"""A mesh of municípios in the database: landed once, published by the next build.

Not here: reading the file (unit/test_mesh.py).
"""

from pathlib import Path

import psycopg
import shapely

from dagster_pipeline import status
from loaders.ibge.zoom import CLASSES
from tests.integration import warehouse as a
from tests.unit.test_mesh import IBIACA, LAGOON, SQUARES, TAPEJARA, geojson

MOVED = shapely.box(-52.2, -28.3, -51.9, -28.0)
TABLES = ("raw.malha_municipio", "controle.malha_arquivo", "raw.rejeitado")


def land(warehouse: a.Warehouse, file: Path) -> int:
    return a.Running(a._loaders, ["malha", str(file)], env=warehouse.env).wait().code


def publish(warehouse: a.Warehouse) -> None:
    done = warehouse.build("--select", "municipio_geometria", *a.ALL)
    assert done.ok, done.trouble


def published(conn: psycopg.Connection) -> dict[int, tuple[int, str]]:
    """Município → the file of its polygon, the polygon."""
    rows = conn.execute(
        "select municipio_id, malha_id, st_astext(geom), st_astext(geom_simples)"
        " from intel_lead.municipio_geometria"
    )
    return {code: (number, whole, simple) for code, number, whole, simple in rows}


def test_a_mesh_lands_once_and_a_newer_one_replaces_what_it_has(
    warehouse: a.Warehouse, tmp_path: Path
) -> None:
    first = geojson(tmp_path / "br.geojson", {LAGOON: SQUARES[TAPEJARA]} | SQUARES)
    second = geojson(tmp_path / "uf.geojson", {TAPEJARA: MOVED})
    bad = geojson(tmp_path / "ruim.geojson", {TAPEJARA: None})
    with warehouse.connect() as conn:
        assert published(conn) == {}
        assert "nenhuma" in status.mesh(conn)
        assert land(warehouse, first) == 0
        landed = a.contents(conn, *TABLES)
        assert (landed["raw.malha_municipio"][0], landed["controle.malha_arquivo"][0]) == (2, 1)
        assert a.value(
            conn, "select registro ->> 'codigo' from raw.rejeitado where origem = 'malha'"
        ) == str(LAGOON)
        assert land(warehouse, first) == 0
        assert land(warehouse, bad) == 3
        assert a.contents(conn, *TABLES) == landed
        publish(warehouse)
        assert {code: number for code, (number, *_) in published(conn).items()} == {
            TAPEJARA: 1,
            IBIACA: 1,
        }
        assert "2 polígonos, " in status.mesh(conn)
        assert land(warehouse, second) == 0
        publish(warehouse)
        found = published(conn)
        assert {code: number for code, (number, *_) in found.items()} == {TAPEJARA: 2, IBIACA: 1}
        assert shapely.from_wkt(found[TAPEJARA][1]).equals(MOVED)
        assert found[IBIACA][1] == found[IBIACA][2]
        publish(warehouse)
        assert published(conn) == found
        assert land(warehouse, first) == 0  # what it has is no longer all there
        publish(warehouse)
        assert {number for number, *_ in published(conn).values()} == {3}


def drawn(conn: psycopg.Connection, table: str) -> set[tuple[int, int, int]]:
    """Município, class of zoom, file."""
    code = "codigo" if table.startswith("raw") else "municipio_id"
    return set(conn.execute(f"select {code}, zoom_minimo, malha_id from {table}").fetchall())


def test_a_landing_draws_all_municipios_anew_for_every_zoom(
    warehouse: a.Warehouse, tmp_path: Path
) -> None:
    """In its own transaction; a mesh that landed before there were drawings gets them."""
    with warehouse.connect() as conn:
        last = a.value(conn, "select max(malha_id) from raw.malha_municipio")
        expected = {(code, z, last) for code in (TAPEJARA, IBIACA) for z in CLASSES}
        assert drawn(conn, "raw.malha_simplificada") == expected
        done = warehouse.build("--select", "municipio_zoom", *a.ALL)
        assert done.ok, done.trouble
        assert drawn(conn, "intel_lead.municipio_zoom") == expected
        east = geojson(tmp_path / "leste.geojson", {IBIACA: shapely.box(-52, -28.5, -51.7, -28.2)})
        conn.execute(
            "create trigger pane before insert on raw.malha_simplificada for each row"
            " execute function suppress_redundant_updates_trigger()"
        )
        assert land(warehouse, east) != 0
        assert drawn(conn, "raw.malha_simplificada") == expected
        assert a.value(conn, "select max(malha_id) from raw.malha_municipio") == last
        conn.execute("drop trigger pane on raw.malha_simplificada")
        assert land(warehouse, east) == 0
        newest = a.value(conn, "select max(malha_id) from raw.malha_municipio")
        moved = {(code, z, newest) for code, z, _ in expected}
        assert drawn(conn, "raw.malha_simplificada") == moved
        conn.execute("delete from raw.malha_simplificada")
        assert land(warehouse, east) == 0
        assert len(drawn(conn, "raw.malha_simplificada")) == len(expected)
        done = warehouse.build("--select", "municipio_zoom", *a.ALL)
        assert done.ok, done.trouble
        assert drawn(conn, "intel_lead.municipio_zoom") == drawn(conn, "raw.malha_simplificada")
        whole = "select st_npoints(geom) from intel_lead.municipio_zoom where zoom_minimo = {}"
        assert a.value(conn, whole.format(9)) >= a.value(conn, whole.format(0))
