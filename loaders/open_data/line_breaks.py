"""Records that a line break within a quoted cell cuts in two: made one line again.

Belongs here: which lines are one record. Not here: cells of a line (bdgd/csv_lines.py), which files
come here (content.py). ANEEL's own CSVs of BDGD have one record a line, whatever their quotes.
"""

from collections.abc import Iterator
from pathlib import Path

from loaders.bdgd.csv_lines import Grammar, Malformed, blocks, read_grammar

_MOST = 50
"""Lines of one record: a quote that is never closed must not swallow the file."""


def joined(path: Path, target: Path, name: str) -> Path:
    """The file itself if no record has a line break, else ``target`` with each on one line.

    A line break becomes a blank. Lines are joined only where the first leaves a quoted cell open,
    all together have the header's fields, and none of the others is a record by itself: an inch
    mark stays what it is.

    Raises:
        InvalidInput: no header, or no text of lines.
    """
    with path.open("rb") as stream:
        if not any(
            b'"' in block and any(map(_odd, _lines(block))) for block in blocks(stream, name)
        ):
            return path
    with path.open("rb") as stream:
        grammar = read_grammar(stream, name)
    broken = False
    with path.open("rb") as stream, target.open("wb") as out:
        lines = (line for block in blocks(stream, name) for line in _lines(block))
        for record, of_lines in _records(lines, grammar):
            out.write(record)
            broken |= of_lines > 1
    return target if broken else path


def _lines(block: bytes) -> list[bytes]:
    """Each line with its end; a CR is none."""
    lines = [line + b"\n" for line in block.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _odd(line: bytes) -> bool:
    return line.count(b'"') % 2 == 1


def _records(lines: Iterator[bytes], grammar: Grammar) -> Iterator[tuple[bytes, int]]:
    """Each record, and of how many lines it is made; what does not fit together stays apart."""
    waiting: list[bytes] = []
    for line in lines:
        if not waiting:
            if _opens(line, grammar):
                waiting.append(line)
            else:
                yield line, 1
            continue
        waiting.append(line)
        if _odd(line) or len(waiting) == _MOST:
            yield from _together(waiting, grammar)
            waiting = []
    yield from ((line, 1) for line in waiting)


def _opens(line: bytes, grammar: Grammar) -> bool:
    """Whether the line stops within a quoted cell."""
    if not _odd(line):
        return False
    record = _read(line, grammar)
    cells = record.cells if isinstance(record, Malformed) else record or ()
    return any(cell.startswith('"') for cell in cells)


def _together(lines: list[bytes], grammar: Grammar) -> Iterator[tuple[bytes, int]]:
    # The last line's end, or none: a file that is cut there is still seen to be.
    whole = b" ".join([*(line.rstrip(b"\r\n") for line in lines[:-1]), lines[-1]])
    if isinstance(_read(whole, grammar), list) and _goes_on(lines[1:], grammar):
        yield whole, len(lines)
    else:
        yield from ((line, 1) for line in lines)


def _goes_on(lines: list[bytes], grammar: Grammar) -> bool:
    """Whether none of them is a record; one whose first cell has the quote only looks like it."""
    records = (_read(line, grammar) for line in lines)
    return all(not isinstance(record, list) or '"' in record[0] for record in records)


def _read(line: bytes, grammar: Grammar) -> list[str] | Malformed | None:
    return grammar.read(line.rstrip(b"\r\n"))
