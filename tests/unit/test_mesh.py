"""IBGE's mesh of municípios: every way in which it comes, and what is refused.

Not here: the database (integration/test_mesh.py).
"""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from loaders.errors import InvalidInput
from loaders.ibge import mesh

TAPEJARA, IBIACA, LAGOON = 4320909, 4309803, 4300001
SQUARES = {
    TAPEJARA: shapely.box(-52.1, -28.2, -51.9, -28.0),
    IBIACA: shapely.MultiPolygon([shapely.box(-52, -28.4, -51.8, -28.2)]),
}


def geojson(file: Path, shapes: Mapping[object, object], column: str = "codarea") -> Path:
    """As IBGE's service gives it: the code as text."""
    features = [
        {
            "type": "Feature",
            "properties": {column: str(code)},
            "geometry": shape and json.loads(shapely.to_geojson(shape)),
        }
        for code, shape in shapes.items()
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


def written(file: Path, driver: str, crs: str = "EPSG:4674") -> Path:
    """As IBGE's downloads have it: CD_MUN and the name."""
    pyogrio.raw.write(
        file,
        shapely.to_wkb(np.array([*SQUARES.values()])),
        [
            np.array([str(code) for code in SQUARES], object),
            np.array(["Tapejara", "Ibiaçá"], object),
        ],
        ["CD_MUN", "NM_MUN"],
        geometry_type="Unknown" if driver == "GPKG" else "Polygon",
        crs=crs,
        driver=driver,
    )
    return file


def zipped(shapefile: Path) -> Path:
    target = shapefile.with_suffix(".zip")
    with zipfile.ZipFile(target, "w") as archive:
        for file in shapefile.parent.glob(f"{shapefile.stem}.*"):
            if file != target:
                archive.write(file, file.name)
    return target


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "shp", "zip"])
def test_a_mesh_reads_the_same_in_every_format(tmp_path: Path, kind: str) -> None:
    if kind == "geojson":
        file = geojson(tmp_path / "m.geojson", SQUARES)
    elif kind == "gpkg":
        file = written(tmp_path / "m.gpkg", "GPKG")
    else:
        file = written(tmp_path / "RS_Municipios.shp", "ESRI Shapefile")
        file = zipped(file) if kind == "zip" else file
    found = mesh.read(file)
    assert found.lost == ()
    assert found.shapes.keys() == SQUARES.keys()
    for code, wkb in found.shapes.items():
        shape = shapely.from_wkb(wkb)
        assert shape.geom_type == "MultiPolygon"
        assert shape.equals(SQUARES[code])


@pytest.mark.parametrize("column", ["CD_MUN", "codarea", "CD_GEOCMU", "GEOCODIGO"])
def test_the_code_is_found_under_every_editions_name(tmp_path: Path, column: str) -> None:
    assert mesh.read(geojson(tmp_path / "m.json", SQUARES, column)).shapes.keys() == SQUARES.keys()


def test_what_is_no_municipio_is_set_aside(tmp_path: Path) -> None:
    found = mesh.read(geojson(tmp_path / "m.json", {LAGOON: SQUARES[TAPEJARA]} | SQUARES))
    assert found.lost == ((1, str(LAGOON)),)
    assert found.shapes.keys() == SQUARES.keys()


@pytest.mark.parametrize(
    ("shapes", "column", "reason"),
    [
        ({TAPEJARA: None}, "codarea", "sem polígono"),
        ({TAPEJARA: shapely.Point(-52, -28)}, "codarea", "sem polígono"),
        ({TAPEJARA: SQUARES[TAPEJARA], f"{TAPEJARA}.0": SQUARES[IBIACA]}, "codarea", "duas vezes"),
        ({LAGOON: SQUARES[TAPEJARA]}, "codarea", "não é a malha do IBGE"),
        (SQUARES, "nome", "sem a coluna do código"),
        ({TAPEJARA: shapely.box(300000, 6800000, 300100, 6800100)}, "codarea", "em graus"),
    ],
)
def test_what_is_no_whole_mesh_is_refused(
    tmp_path: Path, shapes: Mapping[object, object], column: str, reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason):
        mesh.read(geojson(tmp_path / "m.json", shapes, column))


def test_a_projected_mesh_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="exporte em"):
        mesh.read(written(tmp_path / "m.gpkg", "GPKG", crs="EPSG:31982"))


@pytest.mark.parametrize("suffix", [".shp", ".shx", ".dbf"])
def test_a_cut_shapefile_is_refused(tmp_path: Path, suffix: str) -> None:
    file = written(tmp_path / "m.shp", "ESRI Shapefile")
    part = file.with_suffix(suffix)
    part.write_bytes(part.read_bytes()[:-40])
    with pytest.raises(InvalidInput):
        mesh.read(file)
    part.unlink()
    with pytest.raises(InvalidInput):
        mesh.read(file)


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "zip"])
def test_a_cut_file_is_refused(tmp_path: Path, kind: str) -> None:
    made = {
        "geojson": lambda: geojson(tmp_path / "m.geojson", SQUARES),
        "gpkg": lambda: written(tmp_path / "m.gpkg", "GPKG"),
        "zip": lambda: zipped(written(tmp_path / "m.shp", "ESRI Shapefile")),
    }[kind]()
    whole = made.read_bytes()
    made.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput):
        mesh.read(made)


def test_a_feature_that_the_reader_loses_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pyogrio.raw.read
    monkeypatch.setattr(pyogrio.raw, "read", lambda *a, **k: real(*a, **k, max_features=1))
    with pytest.raises(InvalidInput, match="diz ter 2 feições, mas 1 foram lidas"):
        mesh.read(geojson(tmp_path / "m.json", SQUARES))


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("CD_MUN\n4320909\n")
    with pytest.raises(InvalidInput, match="não é uma malha"):
        mesh.read(tmp_path / "m.csv")
