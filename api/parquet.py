"""Rows as Parquet. Not here: other forms (formats.py), whole tables, which type is which (exports).

Imported when asked for: half a second.
"""

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from api.database import Column
from api.formats import Row, as_json
from exports import columns as of_files


def as_parquet(columns: Sequence[str], rows: Sequence[Row], types: dict[str, Column]) -> bytes:
    """One row group; the types are the table's, whatever the rows hold."""
    schema = of_files.schema(
        [of_files.Column(c, types[c].type, types[c].description) for c in columns]
    )
    arrays = []
    for field in schema:
        values = [row[field.name] for row in rows]
        if field.type == pa.float64():
            values = [None if v is None else float(v) for v in values]
        elif field.type == pa.string():
            values = [
                v if v is None or isinstance(v, str) else as_json(v).decode().strip('"')
                for v in values
            ]
        arrays.append(pa.array(values, field.type))
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), sink)
    return sink.getvalue()
