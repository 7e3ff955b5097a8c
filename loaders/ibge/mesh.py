"""A file of municípios' polygons: which features it has, counted twice, by different code.

Belongs here: reading. Not here: the database (landing.py).
"""

import csv
import json
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FieldError

from loaders.bdgd import zip_archive
from loaders.bdgd.columns import whole_number
from loaders.bdgd.gdal_warnings import refused, short
from loaders.environment import CLONE
from loaders.errors import InvalidInput

CODES = ("cd_mun", "codarea", "cd_geocodm", "cd_geocmu", "geocodigo", "code_muni")
"""The column of the seven-digit code, by edition; the first that a file has."""
SRID = 4674
_SAME_DATUM = (4674, 4326, 4618)
"""SIRGAS 2000 and what differs from it by less than a mesh's detail: GeoJSON says WGS 84."""
_KINDS = {".geojson": "GeoJSON", ".json": "GeoJSON", ".gpkg": "GPKG", ".shp": "ESRI Shapefile"}
_MUNICIPIOS = Path(CLONE) / "seeds" / "municipio_dominio.csv"


@dataclass(frozen=True)
class Mesh:
    """What a file holds.

    Attributes:
        shapes: IBGE's code → WKB of a MultiPolygon, degrees in SIRGAS 2000.
        lost: (feature, from 1; what stands in its code's column) of features of no município.
    """

    shapes: dict[int, bytes]
    lost: tuple[tuple[int, str], ...]


def read(path: Path) -> Mesh:
    """Read a mesh whole.

    Raises:
        InvalidInput: not a mesh, cut, damaged; a feature without a polygon, a code twice.
    """
    with _unpacked(path) as file:
        counted = _count(file, path.name)
        try:
            with refused(path.name, what="malha"):
                info = pyogrio.read_info(file)
                column = _code_column(info, path.name)
                _refuse_datum(info["crs"], path.name)
                _, _, wkb, (codes,) = pyogrio.raw.read(file, columns=[column])
        except (DataSourceError, DataLayerError, FieldError, ValueError) as error:
            raise InvalidInput(
                f"{path.name}: o GDAL não lê a malha («{short(error)}»); baixe o arquivo de novo"
            ) from error
    if len(codes) != counted:
        raise InvalidInput(
            f"{path.name}: a malha diz ter {counted} feições, mas {len(codes)} foram lidas; baixe"
            " o arquivo de novo"
        )
    return _mesh(codes, wkb, path.name)


def _mesh(codes: np.ndarray, wkb: np.ndarray, file: str) -> Mesh:
    shapes: dict[int, bytes] = {}
    lost = []
    polygons = shapely.force_2d(shapely.from_wkb(wkb, on_invalid="ignore"))
    for number, (text, polygon) in enumerate(zip(codes, polygons, strict=True), 1):
        code = whole_number(text)
        if code not in municipios():
            lost.append((number, str(text)))
            continue
        if polygon is None or polygon.is_empty or "Polygon" not in polygon.geom_type:
            raise InvalidInput(
                f"{file}: o município {code} está sem polígono; baixe o arquivo de novo"
            )
        if code in shapes:
            raise InvalidInput(f"{file}: o município {code} está duas vezes; deixe uma feição só")
        whole = polygon if polygon.geom_type == "MultiPolygon" else shapely.MultiPolygon([polygon])
        west, south, east, north = whole.bounds
        if west < -180 or east > 180 or south < -90 or north > 90:  # noqa: PLR2004
            raise InvalidInput(f"{file}: o município {code} não está em graus; exporte em SIRGAS")
        shapes[code] = shapely.to_wkb(whole)
    if not shapes:
        raise InvalidInput(f"{file}: nenhuma feição tem código de município; não é a malha do IBGE")
    return Mesh(shapes, tuple(lost))


@cache
def municipios() -> frozenset[int]:
    """The codes of seeds/municipio_dominio: IBGE's meshes hold two lagoons besides."""
    with _MUNICIPIOS.open(encoding="utf-8", newline="") as opened:
        return frozenset(int(row["id"]) for row in csv.DictReader(opened))


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """The file that GDAL opens; out of a zip with its CRC-32 checked."""
    if path.suffix.lower() != ".zip":
        if path.suffix.lower() not in _KINDS:
            raise InvalidInput(
                f"{path.name}: não é uma malha (.geojson, .gpkg, .shp ou .zip com um deles)"
            )
        yield path
        return
    with zip_archive.opened(path) as archive:
        names = [zip_archive.clean_name(member) for member in archive.infolist()]
        found = [name for name in names if name.suffix.lower() in _KINDS]
        if len(found) != 1:
            raise InvalidInput(
                f"{path.name}: o zip deve ter uma malha (.shp, .gpkg ou .geojson), tem {len(found)}"
            )
        with zip_archive.extract(archive, PurePosixPath(found[0].parent), "malha") as folder:
            yield next(f for f in folder.iterdir() if f.name.lower() == found[0].name.lower())


def _count(file: Path, name: str) -> int:
    """How many features a file says it has, without GDAL."""
    kind = _KINDS[file.suffix.lower()]
    try:
        if kind == "GeoJSON":
            with file.open(encoding="utf-8-sig") as opened:
                return len(json.load(opened)["features"])
        if kind == "GPKG":
            return _count_of_gpkg(file)
        return _count_of_shapefile(file)
    except (OSError, ValueError, KeyError, TypeError, struct.error, sqlite3.Error) as error:
        raise InvalidInput(
            f"{name}: malha danificada ou incompleta ({type(error).__name__}); baixe de novo"
        ) from error


def _count_of_gpkg(file: Path) -> int:
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as base:
        if base.execute("pragma quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("quick_check")
        (table,) = base.execute(
            "select table_name from gpkg_contents where data_type = 'features'"
        ).fetchone()
        quoted = str(table).replace('"', '""')
        return base.execute(f'select count(*) from "{quoted}"').fetchone()[0]  # noqa: S608


def _count_of_shapefile(file: Path) -> int:
    """By the index and by the table, which must agree; 100 bytes of header, 8 a shape."""
    beside = {f.suffix.lower(): f for f in file.parent.iterdir() if f.stem == file.stem}
    index, table = beside[".shx"].read_bytes(), beside[".dbf"].read_bytes()
    shapes = (struct.unpack(">i", index[24:28])[0] * 2 - 100) // 8
    records, header, size = struct.unpack("<IHH", table[4:12])
    with file.open("rb") as opened:
        length = struct.unpack(">i", opened.read(28)[24:])[0] * 2
    if shapes != records or len(table) < header + records * size:
        raise ValueError("index and table differ")
    if len(index) < 100 + 8 * shapes or file.stat().st_size < length:
        raise ValueError("cut")
    return records


def _code_column(info: dict[str, object], file: str) -> str:
    by_name = {str(name).lower(): str(name) for name in info["fields"]}  # type: ignore[attr-defined]
    if found := next((by_name[name] for name in CODES if name in by_name), None):
        return found
    raise InvalidInput(f"{file}: sem a coluna do código do município ({', '.join(CODES).upper()})")


def _refuse_datum(crs: object, file: str) -> None:
    if crs and crs not in {f"EPSG:{n}" for n in _SAME_DATUM} and "SIRGAS" not in str(crs):
        raise InvalidInput(f"{file}: a malha está em {str(crs)[:60]}; exporte em SIRGAS 2000")
    if crs and "SIRGAS" in str(crs) and str(crs).startswith("PROJCS"):
        raise InvalidInput(f"{file}: a malha está projetada; exporte em graus, SIRGAS 2000")
