"""What a column of ours is in Arrow and Parquet: the one place that says so.

Belongs here: types, the SQL that casts to them, what a file says of itself. Not here: which columns
(relations.py). Imported when asked for: half a second.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyproj
from psycopg import sql

from exports.licence import ATTRIBUTION

_ARROW = {
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double precision": pa.float64(),
    "real": pa.float32(),
    "numeric": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "timestamp without time zone": pa.timestamp("us"),
    "double precision[]": pa.list_(pa.float64()),
    "text[]": pa.list_(pa.string()),
}
"""PostgreSQL's type → Arrow's; a geometry is WKB, whatever else there is its text."""
_GEOMETRY = re.compile(r"(?:\w+\.)?geometry(?:\((\w+)(?:,(\d+))?\))?")
_GEO_TYPES = {
    kind.lower(): kind
    for kind in (
        *("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"),
        "GeometryCollection",
    )
}


@dataclass(frozen=True)
class Column:
    """A column of a relation.

    Attributes:
        type: as format_type spells it, with its modifier.
        description: its comment, the data dictionary's text.
    """

    name: str
    type: str
    description: str

    @property
    def is_geometry(self) -> bool:
        """Whether it is one of PostGIS's."""
        return bool(_GEOMETRY.fullmatch(self.type))

    @property
    def arrow(self) -> pa.DataType:
        """Its type in a file."""
        return pa.binary() if self.is_geometry else _ARROW.get(self.type, pa.string())


def selected(column: Column, postgis: str | None) -> sql.Composable:
    """The column as SQL that yields the type it has in a file, under its own name."""
    name = sql.Identifier(column.name)
    if column.is_geometry:
        function = sql.Identifier(postgis or "public", "st_asbinary")
        value = sql.SQL("{}({}, 'NDR')").format(function, name)
    elif column.type not in _ARROW:
        value = sql.SQL("{}::text").format(name)
    elif column.type == "numeric":
        value = sql.SQL("{}::double precision").format(name)
    else:
        value = name
    return sql.SQL("{} as {}").format(value, name)


def schema(columns: Sequence[Column], about: Mapping[str, str] | None = None) -> pa.Schema:
    """The file's schema: types, descriptions, where it comes from, GeoParquet 1.1's ``geo``."""
    fields = [
        pa.field(
            c.name, c.arrow, metadata={"description": c.description} if c.description else None
        )
        for c in columns
    ]
    told = {"fonte": ATTRIBUTION, **(about or {})}
    if geometries := [c for c in columns if c.is_geometry]:
        told["geo"] = json.dumps(
            {
                "version": "1.1.0",
                "primary_column": geometries[0].name,
                "columns": {c.name: _geo(c.type) for c in geometries},
            }
        )
    return pa.schema(fields, metadata=told)


def _geo(declared: str) -> dict[str, object]:
    """GeoParquet's words for a type like ``geometry(Point,4674)``."""
    kind, srid = _GEOMETRY.fullmatch(declared).groups()
    known = _GEO_TYPES.get((kind or "").lower())
    crs = pyproj.CRS.from_epsg(int(srid)).to_json_dict() if int(srid or 0) else None
    return {"encoding": "WKB", "geometry_types": [known] if known else [], "crs": crs}
