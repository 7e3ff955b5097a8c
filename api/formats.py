"""Rows as JSON, CSV, XLSX, GeoJSON or Parquet, by Accept or ``formato``.

Belongs here: choosing and writing. Not here: which rows. Text that a spreadsheet would run as a
formula is written with an apostrophe before it; numbers stay numbers.
"""

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from fastapi import Request

from api import problems
from exports.licence import ATTRIBUTION

Row = dict[str, Any]


class Form(StrEnum):
    """What an answer is written as."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    GEOJSON = "geojson"
    PARQUET = "parquet"


MEDIA = {
    Form.JSON: "application/json",
    Form.CSV: "text/csv",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Form.GEOJSON: "application/geo+json",
    Form.PARQUET: "application/vnd.apache.parquet",
}
GEOMETRY = "_geometria"
"""The hidden column that holds a row's GeoJSON geometry."""


def chosen(request: Request, asked: Form | None, possible: Sequence[Form]) -> Form:
    """The form of the answer: the one asked for by name, else the best that Accept takes.

    Raises:
        Refusal: 406, none of the possible ones.
    """
    names = ", ".join(MEDIA[form] for form in possible)
    if asked is not None:
        if asked in possible:
            return asked
        raise problems.Refusal(problems.NOT_ACCEPTABLE, f"aqui há: {names}")
    ranges = []
    for part in request.headers.get("accept", "*/*").split(","):
        media, *parameters = (p.strip().lower() for p in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        ranges.append((float(quality) if quality.replace(".", "", 1).isdecimal() else 0, media))
    for quality, media in sorted(ranges, key=lambda r: -r[0]):
        for form in possible:
            kind = MEDIA[form].split("/")[0]
            if quality > 0 and media in (MEDIA[form], f"{kind}/*", "*/*"):
                return form
    raise problems.Refusal(problems.NOT_ACCEPTABLE, f"aqui há: {names}")


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    """A value that JSON has no word for, as one that it has."""
    if isinstance(value, Decimal | int):
        return float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)


def as_json(value: Any) -> bytes:  # noqa: ANN401 - whatever JSON takes
    """UTF-8 JSON; what is no number is null, as JSON has none."""
    return orjson.dumps(value, default=plain)


def as_csv(columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    """UTF-8, comma, decimal point, CRLF; lists as JSON."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, list | dict):
        value = as_json(value).decode()
    if isinstance(value, str) and value.lstrip(" ")[:1] in tuple("=+-@\t\r\n|"):
        return f"'{value}"
    return plain(value) if isinstance(value, Decimal | date | UUID) else value


def as_geojson(columns: Sequence[str], rows: Sequence[Row], *, key: str) -> bytes:
    """A FeatureCollection in WGS 84 longitude, latitude (ANEEL's SIRGAS 2000 within a metre)."""
    features = [
        {
            "type": "Feature",
            "id": row[key],
            "geometry": row[GEOMETRY],
            "properties": {column: row[column] for column in columns},
        }
        for row in rows
    ]
    return as_json({"type": "FeatureCollection", "fonte": ATTRIBUTION, "features": features})
