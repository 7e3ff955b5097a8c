"""From bytes to records: lines, their fields, and a count of lines that no parser has a part in.

Belongs here: encoding, quotes, control bytes. Not here: which records matter (filtering.py).
A record is a line: quotes inside a field are text, and so are control bytes, taken out. Text is
latin-1, or UTF-8 where a person saved the file again.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from loaders.errors import InvalidInput

_BLOCK = 2**20
_LONGEST_LINE = 64 * 2**20
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_BOM = b"\xef\xbb\xbf"


class CountingReader(io.RawIOBase):
    """Bytes on their way to a reader, their line ends counted as they pass."""

    def __init__(self, source: BinaryIO, name: str) -> None:
        """Count what ``source`` gives; ``name`` is for the error."""
        self._source, self._name = source, name
        self._ends = self._since_end = self.bytes = 0
        self._last = b"\n"

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Pass a block on.

        Raises:
            InvalidInput: no line end for 64 MiB: it is no text.
        """
        block = self._source.read(min(len(buffer), _BLOCK))
        buffer[: len(block)] = block
        ends = block.count(b"\n")
        self._ends += ends
        self.bytes += len(block)
        self._since_end = 0 if ends else self._since_end + len(block)
        if self._since_end > _LONGEST_LINE:
            raise InvalidInput(
                f"{self._name}: não é texto (nenhum fim de linha em 64 MB); baixe o arquivo de novo"
            )
        self._last = block[-1:] or self._last
        return len(block)

    @property
    def lines(self) -> int:
        """Lines that went by; a last one without its end counts."""
        return self._ends + (self._last != b"\n")

    @property
    def cut(self) -> bool:
        """Whether the last line lacks its end."""
        return self._last != b"\n"


def lines(source: CountingReader) -> Iterator[tuple[int, bytes]]:
    """Number, from 1, and bytes of every line, without its end."""
    for number, line in enumerate(io.BufferedReader(source, _BLOCK), 1):
        start = _BOM if number == 1 and line.startswith(_BOM) else b""
        yield number, line[len(start) :].rstrip(b"\r\n")


def split(line: bytes) -> list[bytes]:
    """A line's fields without their quotes, as bytes, whatever quotes are inside."""
    if line.startswith(b'"') and line.endswith(b'"') and len(line) > 1:
        return line[1:-1].split(b'";"')
    return [part.strip(b'"') for part in line.split(b";")]


def fields(line: bytes, expected: int) -> list[str] | None:
    """A line's fields as clean text; None where there are not ``expected`` of them."""
    parts = split(line)
    if len(parts) == expected:
        return [text(part) for part in parts]
    # Quoted in part, as a spreadsheet saves it.
    try:
        row = next(csv.reader([text(line)], delimiter=";"), [])
    except csv.Error:
        return None
    return [value.strip() for value in row] if len(row) == expected else None


def text(raw: bytes) -> str:
    """Bytes as text, without control characters or outer blanks."""
    if raw.isascii():
        value = raw.decode("ascii")
    else:
        try:
            value = raw.decode("utf-8")
        except UnicodeDecodeError:
            value = raw.decode("latin-1")
    return _CONTROL.sub(" ", value).strip()


def root(line: bytes) -> bytes:
    """The first field's bytes, without splitting the rest."""
    first = line.split(b";", 1)[0].strip()
    return first[1:-1] if first.startswith(b'"') and first.endswith(b'"') else first
