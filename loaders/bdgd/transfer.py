"""Arrow batches to PostgreSQL: CSV in memory, COPY, reading and writing overlapped.

Belongs here: moving rows. Not here: what a source is (geodatabase.py, csv_pj.py), the ledger.
"""

import csv
import itertools
import json
import math
import tempfile
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter
from typing import IO, Any, TypeVar

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from psycopg import sql

from loaders.bdgd import physics
from loaders.bdgd.columns import rejection_reasons
from loaders.bdgd.copies import REASON as COPY
from loaders.bdgd.copies import Copies, Months
from loaders.bdgd.layers import Layer
from loaders.bdgd.leaves import Leaf
from loaders.safra import Safra

T = TypeVar("T")

_NO_HEADER = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
_REJECTS_IN_MEMORY = 16 * 2**20


@dataclass(frozen=True)
class Rejected:
    """A row that was not landed, whole, with the reason."""

    row: int
    reason: str
    record: dict[str, Any]


@dataclass(frozen=True)
class Batch:
    """Rows of one layer and safra, typed as the raw layer.

    Attributes:
        rows: int64, the rows' 1-based numbers in the source.
        rejects: rows of the source that the reader itself could not make into such.
    """

    safra: Safra
    data: pa.RecordBatch
    rows: pa.Array
    rejects: tuple[Rejected, ...] = ()


def number_rows(first: int, how_many: int) -> pa.Array:
    """Consecutive row numbers for ``Batch.rows``."""
    return pa.array(np.arange(first, first + how_many, dtype=np.int64))


@dataclass(frozen=True)
class ColumnSum:
    """One monthly column of the rows of a batch: values, their sum, the greatest."""

    rows: int
    total: float
    greatest: float | None


@dataclass(frozen=True)
class Packet:
    """A batch ready for COPY.

    Attributes:
        corrected: what was made null → how many values.
        monthly_columns: monthly column → what its landed rows come to.
    """

    safra: Safra
    columns: tuple[str, ...]
    csv: memoryview
    rows_read: int
    rejects: list[Rejected]
    corrected: Counter[str]
    monthly_columns: dict[str, ColumnSum]
    kwh: float


@dataclass
class Totals:
    """Totals of one layer of one safra; ``kwh`` and the columns' are of the landed rows.

    Attributes:
        rows_read: rows that the source gave.
        landed: rows that PostgreSQL says it took.
        reasons: reason → rejected rows.
        corrected: what was made null → values.
        parts: monthly column → one entry per batch.
    """

    rows_read: int = 0
    landed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    corrected: Counter[str] = field(default_factory=Counter)
    parts: dict[str, list[ColumnSum]] = field(default_factory=dict)
    overlapping: int = 0
    kwh: float = 0.0

    @property
    def rejected(self) -> int:
        """Rows kept in raw.rejeitado."""
        return self.reasons.total()

    def add(self, packet: Packet) -> None:
        """Take one more packet into account."""
        self.rows_read += packet.rows_read
        self.reasons.update(rejected.reason for rejected in packet.rejects)
        self.corrected.update(packet.corrected)
        for name, column in packet.monthly_columns.items():
            self.parts.setdefault(name, []).append(column)
        self.kwh += packet.kwh

    def monthly(self) -> dict[str, ColumnSum]:
        """Each monthly column of the whole layer, added up exactly."""
        return {
            name: ColumnSum(
                sum(p.rows for p in parts),
                math.fsum(p.total for p in parts),
                max((p.greatest for p in parts if p.greatest is not None), default=None),
            )
            for name, parts in self.parts.items()
        }


def pack_batch(
    batch: Batch,
    layer: Layer,
    *,
    copies_seen: Copies | None = None,
    months: Months | None = None,
    today: date | None = None,
) -> Packet:
    """Split off the rows that cannot be landed and write the others as PostgreSQL's CSV.

    Null is an unquoted nothing, an empty string is ``""``: both survive the trip.

    Args:
        batch: the rows.
        layer: their layer.
        copies_seen: what has gone by of this layer and safra.
        months: likewise, the months with energy of each unit.
        today: the day of landing.
    """
    data = batch.data.add_column(0, "linha", batch.rows)
    rejects: list[Rejected] = []
    for reason, mask in rejection_reasons(batch.data, layer).items():
        rejects += _reject(data.filter(mask), reason)
    if rejects:
        rejects = list({r.row: r for r in reversed(rejects)}.values())
        data = _without(data, [r.row for r in rejects])
    data, corrected = physics.corrected(data, layer, today or date.today())  # noqa: DTZ011
    csv_of_data = _csv(data)
    copies_seen = copies_seen or Copies()
    if repeated := copies_seen.repeated(
        csv_of_data, copies_seen.judged(data, layer), data.num_rows
    ):
        copied = _reject(data.take(pa.array(repeated)), COPY)
        data = _without(data, [r.row for r in copied])
        csv_of_data = _csv(data)
        rejects += copied
    if months is not None:
        months.add(data, layer)
    monthly = _monthly(data, layer)
    return Packet(
        safra=batch.safra,
        columns=tuple(data.schema.names),
        csv=memoryview(csv_of_data),
        rows_read=batch.data.num_rows + len(batch.rejects),
        rejects=[*rejects, *batch.rejects],
        corrected=corrected,
        monthly_columns=monthly,
        kwh=math.fsum(monthly[c].total for c in layer.energy_columns if c in monthly),
    )


def _reject(data: pa.RecordBatch, reason: str) -> list[Rejected]:
    return [Rejected(r.pop("linha"), reason, r) for r in data.to_pylist()]


def _without(data: pa.RecordBatch, rows: list[int]) -> pa.RecordBatch:
    outside = pc.is_in(data.column("linha"), pa.array(rows, pa.int64()))
    return data.filter(pc.invert(outside))


def _csv(data: pa.RecordBatch) -> bytes:
    out = pa.BufferOutputStream()
    pa_csv.write_csv(data, out, _NO_HEADER)
    return out.getvalue().to_pybytes()


def _monthly(data: pa.RecordBatch, layer: Layer) -> dict[str, ColumnSum]:
    """Summed in Arrow: nothing that dbt or PostgreSQL does has a part in it."""
    monthly = {}
    for name in (f"{serie}_{month:02d}" for serie in layer.series for month in range(1, 13)):
        if name in data.schema.names:
            column = data.column(name)
            monthly[name] = ColumnSum(
                len(column) - column.null_count,
                pc.sum(column).as_py() or 0.0,
                pc.max(column).as_py(),
            )
    return monthly


def read_ahead(itens: Iterable[T], *, depth: int = 2) -> Iterator[T]:
    """Yield ``itens`` while a thread works ``depth`` of them ahead.

    GDAL, Arrow and COPY all leave the GIL, so that reading and writing overlap.
    """
    source = iter(itens)
    end: Any = object()
    with ThreadPoolExecutor(1, "leitura") as reader:
        ahead = deque(reader.submit(next, source, end) for _ in range(depth))
        try:
            while (item := ahead.popleft().result()) is not end:
                ahead.append(reader.submit(next, source, end))
                yield item
        finally:
            reader.shutdown(cancel_futures=True)


def copy_layer(
    conn: psycopg.Connection,
    layer: Layer,
    leaves: Mapping[Safra, Leaf],
    batches: Iterable[Batch],
    *,
    file: str,
    progress: Callable[[int], None],
) -> dict[Safra, Totals]:
    """COPY one layer into its leaves and its rejected rows into raw.rejeitado.

    Three threads: GDAL reads (the slowest), Arrow writes CSV, this one feeds COPY.

    Args:
        conn: connection in the transaction that created the leaves, as FREEZE asks.
        layer: the layer.
        leaves: safra → leaf, for every safra of ``batches``.
        batches: the rows.
        file: what raw.rejeitado calls the file.
        progress: called with the rows of each packet.

    Raises:
        InvalidInput: a row cannot be read or typed, or is of another distributor.
        psycopg.Error: PostgreSQL refused the rows or was lost.
    """
    totals = {safra: Totals() for safra in leaves}
    copies_seen: defaultdict[Safra, Copies] = defaultdict(Copies)
    months: defaultdict[Safra, Months] = defaultdict(Months)
    today = date.today()  # noqa: DTZ011 - the day where the person is who lands the file
    with (
        closing(read_ahead(batches)) as records_read,
        closing(
            read_ahead(
                pack_batch(
                    batch,
                    layer,
                    copies_seen=copies_seen[batch.safra],
                    months=months[batch.safra],
                    today=today,
                )
                for batch in records_read
            )
        ) as packets,
        tempfile.SpooledTemporaryFile(_REJECTS_IN_MEMORY, "w+", encoding="utf-8") as rejects_file,
    ):
        writer = csv.writer(rejects_file)

        def count_through() -> Iterator[Packet]:
            for packet in packets:
                leaf = leaves[packet.safra]
                totals[packet.safra].add(packet)
                writer.writerows(_rejected_rows(packet, leaf, file))
                progress(packet.rows_read)
                yield packet

        for safra, group in itertools.groupby(count_through(), key=attrgetter("safra")):
            totals[safra].landed += _copy(conn, leaves[safra].new, group)
        rejects_file.seek(0)
        _copy_rejects(conn, rejects_file)
    for safra, total in totals.items():
        total.overlapping = months[safra].overlapping()
    return totals


def _copy(conn: psycopg.Connection, table: sql.Identifier, packets: Iterator[Packet]) -> int:
    """COPY consecutive packets of one leaf, of equal columns; the rows that PostgreSQL took."""
    first = next(packets)
    command = sql.SQL("copy {} ({}) from stdin (format csv, freeze)").format(
        table, sql.SQL(", ").join(map(sql.Identifier, first.columns))
    )
    with conn.cursor() as cursor:
        with cursor.copy(command) as copy:
            for packet in itertools.chain([first], packets):
                copy.write(packet.csv)
        return cursor.rowcount


def _rejected_rows(packet: Packet, leaf: Leaf, file: str) -> Iterator[tuple[object, ...]]:
    safra = leaf.safra
    for r in packet.rejects:
        yield (
            leaf.import_id,
            safra.ano,
            safra.distribuidora_id,
            leaf.layer.name,
            file,
            r.row,
            r.reason,
            _jsonb(r.record),
        )


def _copy_rejects(conn: psycopg.Connection, rejects_file: IO[str]) -> None:
    with (
        conn.cursor() as cursor,
        cursor.copy(
            "copy raw.rejeitado (import_id, ano, distribuidora_id, origem, arquivo, linha, motivo,"
            " registro) from stdin (format csv)"
        ) as copy,
    ):
        while block := rejects_file.read(2**20):
            copy.write(block)


def _jsonb(record: dict[str, Any]) -> str:
    """JSON that jsonb takes: no NaN, no NUL character."""
    return json.dumps({c: _clean(v) for c, v in record.items()})


def _clean(value: object) -> object:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    return None if isinstance(value, float) and not math.isfinite(value) else value
