"""Rows that a layer has twice, found while they stream by.

Belongs here: identical copies, rows of one unit whose months overlap. Not here: what is done about
them (transfer.py rejects copies, bdgd.py holds a safra that has many).
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.bdgd.layers import Layer

REASON = "cópia idêntica de outra linha"


@dataclass
class Copies:
    """What has gone by of one layer of one safra.

    A layer that has COD_ID has no two rows alike. Without it (vintages up to about 2023) two units
    on one pole that used nothing are alike and yet two: there only a row with energy in some month
    counts. Measured with COD_ID dropped: see docs/divergences.md.
    """

    seen: set[int | None] = field(default_factory=set)

    def judged(self, rows: pa.RecordBatch, layer: Layer) -> np.ndarray | None:
        """Which rows may be copies at all; None for every one."""
        if "cod_id" in rows.schema.names:
            return None
        months = [pc.fill_null(pc.not_equal(c, 0.0), False) for c in _months(rows, layer)]
        if not months:
            return np.zeros(rows.num_rows, bool)
        return np.logical_or.reduce([m.to_numpy(zero_copy_only=False) for m in months])

    def repeated(self, csv: bytes, judged: np.ndarray | None, rows: int) -> list[int]:
        """Indexes of the rows that were seen before; their text begins after the row number."""
        # 64 bits: among 10 million rows two unlike ones meet once in 370,000 files; a longer digest
        # took a quarter of packing's time.
        digests: list[int | None] = [hash(row.partition(b",")[2]) for row in _rows(csv, rows)]
        if judged is not None:
            digests = [d if one else None for d, one in zip(digests, judged.tolist(), strict=True)]
        new = set(digests)
        if judged is None and len(new) == rows and self.seen.isdisjoint(new):
            self.seen |= new
            return []
        found = []
        for index, digest in enumerate(digests):
            if digest in self.seen:
                found.append(index)
            elif digest is not None:
                self.seen.add(digest)
        return found


def _rows(csv: bytes, rows: int) -> list[bytes]:
    """Each row's text; a line break in a quoted cell ends none."""
    lines = csv.split(b"\n")[:-1]
    if len(lines) == rows:
        return lines
    whole, part = [], b""
    for line in lines:
        part += line
        if part.count(b'"') % 2:
            part += b"\n"
        else:
            whole.append(part)
            part = b""
    return whole


@dataclass
class Months:
    """In which months each row of a layer has energy, by its COD_ID: 10 B a row."""

    codes: list[np.ndarray] = field(default_factory=list)
    months: list[np.ndarray] = field(default_factory=list)

    def add(self, rows: pa.RecordBatch, layer: Layer) -> None:
        """Note a batch of landed rows."""
        if "cod_id" not in rows.schema.names or not layer.energy or not rows.num_rows:
            return
        mask = np.zeros(rows.num_rows, np.uint16)
        for name in layer.energy_columns:
            if name in rows.schema.names:
                used = pc.fill_null(pc.not_equal(rows.column(name), 0.0), False)
                mask |= used.to_numpy(zero_copy_only=False).astype(np.uint16) << int(name[-2:])
        self.codes.append(np.fromiter(map(hash, rows.column("cod_id").to_pylist()), np.int64))
        self.months.append(mask)

    def overlapping(self) -> int:
        """COD_IDs of which two rows have energy in one month."""
        if not self.codes:
            return 0
        codes, months = np.concatenate(self.codes), np.concatenate(self.months)
        order = np.argsort(codes, kind="stable")
        codes, months = codes[order], months[order]
        same = np.concatenate(([False], codes[1:] == codes[:-1], [False]))
        again = same[1:] | same[:-1]
        if not again.any():
            return 0
        group = np.cumsum(~same[:-1][again]) - 1
        twice = np.zeros(group[-1] + 1, bool)
        for month in range(1, 13):
            twice |= np.bincount(group, (months[again] >> month) & 1) > 1
        return int(twice.sum())


def _months(rows: pa.RecordBatch, layer: Layer) -> list[pa.Array]:
    return [rows.column(c) for c in layer.energy_columns if c in rows.schema.names]
