"""What a CSV holds, counted from its bytes before anything lands: records per safra, number forms.

Belongs here: the first pass, which shares nothing with the parser that lands the rows: landed +
rejected = counted can fail. Not here: the grammar (csv_lines.py), landing (csv_pj.py).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from loaders.bdgd.csv_lines import Grammar, Malformed, blocks, text
from loaders.bdgd.number_text import Shapes

_OTHERS = 20
"""Values that the last one of a file is compared with."""
_MOST_LONG = 4
"""Digits from which a number without marks says that its column groups none."""


@dataclass
class Census:
    """Counts of one file.

    Attributes:
        keys: (DIST, DATA_BASE) as written → records; "" for a column that is not there.
        malformed: cell where DIST should be → records without the header's fields.
        shapes: column → the forms of its numbers.
        written: key as in ``keys`` → the forms of its numbers in all columns together.
        cut: the last record ends in the middle: no line end, and fields missing.
        unended: the last record has no line end: its last value may be cut.
        last: the last record's key, as in ``keys``; None where its line is not plain.
    """

    keys: Counter[tuple[str, str]] = field(default_factory=Counter)
    malformed: Counter[str] = field(default_factory=Counter)
    shapes: dict[str, Shapes] = field(default_factory=dict)
    written: dict[tuple[str, str], Shapes] = field(default_factory=dict)
    cut: bool = False
    unended: bool = False
    last: tuple[str, str] | None = None

    @property
    def records(self) -> int:
        """All records of the file."""
        return self.keys.total() + self.malformed.total()

    def reject_last(self) -> None:
        """Count the last record among those without shape."""
        if self.last:
            self.keys -= Counter([self.last])
            self.malformed[self.last[0]] += 1


def take(
    stream: BinaryIO,
    grammar: Grammar,
    name: str,
    *,
    keys: tuple[int, ...],
    numeric: Mapping[str, int],
    grouped: tuple[int, ...] = (),
) -> Census:
    """Count a file.

    Args:
        stream: its bytes, from the start.
        grammar: how to cut its lines.
        name: what messages call it.
        keys: positions of DIST and, where there is one, of DATA_BASE.
        numeric: column → position, of those whose notation is to be told.
        grouped: positions of those that may have thousands, for ``Census.written``.

    Raises:
        InvalidInput: the file is no text of lines.
    """
    census = Census(shapes={column: Shapes() for column in numeric})
    cells: Counter[tuple[bytes, ...]] = Counter()
    for block in blocks(stream, name):
        _count(census, cells, block, grammar, keys, numeric, grouped)
    for pair, count in cells.items():
        dist, date = (*map(text, pair), "")[:2]
        census.keys[dist, date] += count
    return census


def _count(
    census: Census,
    cells: Counter[tuple[bytes, ...]],
    block: bytes,
    grammar: Grammar,
    keys: tuple[int, ...],
    numeric: Mapping[str, int],
    grouped: tuple[int, ...],
) -> None:
    """Whole columns at once where lines are plain, one by one where they are not."""
    codes, starts, ends, inner, plain = _layout(block, grammar)
    ended = block.endswith(b"\n")
    census.unended = not ended and bool(block[starts[-1] :].strip(b"\0\x1a \t\r"))
    bounds = np.column_stack((starts[plain] - 1, inner, ends[plain]))
    spans = [((bounds[:, c] + 1).tolist(), bounds[:, c + 1].tolist()) for c in keys]
    owners = list(
        zip(*([block[a:b] for a, b in zip(*span, strict=True)] for span in spans), strict=True)
    )
    cells.update(owners)
    _note_shapes(census, block, codes, bounds, numeric)
    _note_written(census, block, bounds, owners, grouped)
    census.last = (*map(text, owners[-1]), "")[:2] if owners and plain[-1] else None
    for index in np.flatnonzero(~plain):
        for _, record in grammar.records(block[starts[index] : ends[index]]):
            _count_one(census, record, grammar, keys, numeric, grouped)
            last = index == len(ends) - 1 and not ended
            census.cut = last and isinstance(record, Malformed) and _short(record, grammar)


def _layout(
    block: bytes, grammar: Grammar
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The block's codes, its lines' starts and ends, separators of plain lines, which are plain."""
    codes = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(codes == 0x0A)
    if not block.endswith(b"\n"):
        ends = np.append(ends, len(block))
    starts = np.concatenate(([0], ends[:-1] + 1))
    marks = np.flatnonzero(codes == ord(grammar.separator))
    fields = np.diff(np.searchsorted(marks, ends), prepend=0)
    plain = (fields == len(grammar.names) - 1) & (ends - starts != fields)
    for byte in (b'"', b"\0", b"\r"):
        if byte in block:
            plain[np.searchsorted(ends, np.flatnonzero(codes == byte[0]))] = False
    for at in grammar.headings(block):
        plain[np.searchsorted(ends, at)] = False
    inner = marks[np.repeat(plain, fields)].reshape(-1, len(grammar.names) - 1)
    return codes, starts, ends, inner, plain


def _count_one(
    census: Census,
    record: list[str] | Malformed | None,
    grammar: Grammar,
    keys: tuple[int, ...],
    numeric: Mapping[str, int],
    grouped: tuple[int, ...],
) -> None:
    if isinstance(record, Malformed):
        census.malformed["".join(record.cells[keys[0] : keys[0] + 1])] += 1
    elif record:
        dist, date = (*(record[c] for c in keys), "")[:2]
        census.keys[dist, date] += 1
        for column, position in numeric.items():
            census.shapes[column].add(record[position])
        for position in grouped:
            census.written.setdefault((dist, date), Shapes()).add(record[position])


def last_value_cut(stream: BinaryIO, grammar: Grammar, name: str) -> bool:
    """Whether a file without last line end stops in its last value, as far as the others tell.

    It does where the last value has fewer decimals than every other of its column, or is shorter
    in a column whose values are all of one length. Among honest files of variable decimals that is
    so by chance in one of as many as they have rows; from ``_OTHERS`` rows on it is taken for sure.

    Raises:
        InvalidInput: the file is no text of lines.
    """
    sizes: Counter[int] = Counter()
    decimals: Counter[int] = Counter()
    size, places = np.array([0]), np.array([0])
    for block in blocks(stream, name):
        codes, _, ends, inner, plain = _layout(block, grammar)
        if not plain[-1] and not block.endswith(b"\n"):
            return False
        begins, ends = inner[:, -1], ends[plain]
        points = np.append(-1, np.flatnonzero((codes == ord(".")) | (codes == ord(","))))
        point = points[np.searchsorted(points, ends) - 1]
        size = ends - begins - 1
        places = np.where(point > begins, ends - point - 1, 0)
        sizes.update(size.tolist())
        decimals.update(places[size > 0].tolist())
    last, place = int(size[-1]), int(places[-1])
    sizes[last] -= 1
    decimals[place] -= last > 0
    others, fewest = +sizes, +decimals
    if others.total() < _OTHERS:
        return False
    if last:
        del others[0]
    return (len(others) == 1 and last < min(others)) or bool(last and place < min(fewest))


def _short(record: Malformed, grammar: Grammar) -> bool:
    return len(record.cells) < len(grammar.names)


def _note_shapes(
    census: Census,
    block: bytes,
    codes: np.ndarray,
    bounds: np.ndarray,
    numeric: Mapping[str, int],
) -> None:
    """Look at the cells that have a mark, in the columns of which it still says something."""
    for mark in ".,":
        open_columns = {c: p for c, p in numeric.items() if not census.shapes[c].settled(mark)}
        if not open_columns or mark.encode() not in block:
            continue
        before = np.concatenate(([0], np.cumsum(codes == ord(mark), dtype=np.int32)))
        for column, position in open_columns.items():
            first, last = bounds[:, position] + 1, bounds[:, position + 1]
            for row in np.flatnonzero(before[last] != before[first]):
                census.shapes[column].add(text(block[first[row] : last[row]]))
                if census.shapes[column].settled(mark):
                    break
    for column, position in numeric.items():
        shapes = census.shapes[column]
        if "long" in shapes.seen or shapes.settled(".") or shapes.settled(","):
            continue
        first, last = bounds[:, position] + 1, bounds[:, position + 1]
        for row in np.flatnonzero(last - first >= _MOST_LONG):
            shapes.add(text(block[first[row] : last[row]]))
            if "long" in shapes.seen:
                break


def _note_written(
    census: Census,
    block: bytes,
    bounds: np.ndarray,
    owners: list[tuple[bytes, ...]],
    grouped: tuple[int, ...],
) -> None:
    """Look at the rows of each key until one of its numbers says how they are written."""
    shapes = {
        owner: census.written.setdefault((*map(text, owner), "")[:2], Shapes())
        for owner in set(owners)
    }
    waiting = {owner for owner, shape in shapes.items() if not shape.told}
    if not waiting or not grouped:
        return
    columns = np.array(grouped)
    written = bounds[:, columns + 1] - bounds[:, columns] > len(".5")
    for row in np.flatnonzero(written.any(axis=1)):
        if owners[row] not in waiting:
            continue
        for column in columns[written[row]]:
            shapes[owners[row]].add(text(block[bounds[row, column] + 1 : bounds[row, column + 1]]))
        if shapes[owners[row]].told:
            waiting.discard(owners[row])
            if not waiting:
                return
