"""Rows as Parquet. Not here: other forms (formats.py). Imported when asked for: half a second."""

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from api.database import Column
from api.formats import ATTRIBUTION, Row, as_json

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
    "double precision[]": pa.list_(pa.float64()),
    "text[]": pa.list_(pa.string()),
}


def as_parquet(columns: Sequence[str], rows: Sequence[Row], types: dict[str, Column]) -> bytes:
    """One row group; the types are the table's, whatever the rows hold."""
    arrays, fields = [], []
    for column in columns:
        kind = _ARROW.get(types[column].type, pa.string())
        values = [row[column] for row in rows]
        if kind == pa.float64():
            values = [None if v is None else float(v) for v in values]
        elif kind == pa.string():
            values = [
                v if v is None or isinstance(v, str) else as_json(v).decode().strip('"')
                for v in values
            ]
        arrays.append(pa.array(values, kind))
        fields.append(pa.field(column, kind))
    schema = pa.schema(fields, metadata={"fonte": ATTRIBUTION})
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), sink)
    return sink.getvalue()
