"""The grammar of ANEEL's ``_pj`` CSVs, from bytes: one record a line, whatever its quotes.

Belongs here: line ends, encodings, cells of a line, lines as Arrow's parser takes them. Not here:
what a column means (csv_pj.py), counting (csv_census.py).
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import BinaryIO

import numpy as np

from loaders.bdgd.kinds import SEPARATOR_HINT
from loaders.errors import InvalidInput

BLOCK = 2 * 2**20
_LONGEST_LINE = 32 * 2**20
_HEAD = 64 * 2**10
_SEPARATORS = (";", "\t", "|", ",")
_NOISE = " \t\r\0\x1a\ufeff"
"""What a line may consist of and still be blank; 0x1A ends files written under DOS."""
CUT = "última linha incompleta: o arquivo acaba sem fim de linha, no meio do último valor"
"""Reason of a record that ``Lines.cut`` rejects."""
_NEWLINE, _QUOTE = 0x0A, 0x22
_EDGE = np.isin(np.arange(256), [_NEWLINE, *map(ord, _SEPARATORS)])
"""Bytes that may stand around a cell."""


def text(line: bytes) -> str:
    """A line as UTF-8, else as cp1252; a byte that cp1252 does not have becomes U+FFFD."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


@dataclass(frozen=True)
class Malformed:
    """A line that has not the header's fields: ``cells`` as far as they can be told apart."""

    cells: tuple[str, ...]
    reason: str
    text: str


@dataclass(frozen=True)
class Grammar:
    """How the lines of one file are cut; made of its header.

    Attributes:
        separator: one ASCII character.
        names: the header's names, trimmed, unquoted; "" for a nameless trailing column.
        hinted: a line ``sep=`` before the header said the separator.
    """

    separator: str
    names: tuple[str, ...]
    hinted: bool = False

    @cached_property
    def _field(self) -> re.Pattern[str]:
        sep = re.escape(self.separator)
        return re.compile(rf'"((?:[^"]|"")*+)"(?={sep}|\Z)|([^{sep}]*)')

    def split(self, line: str) -> list[str]:
        """Cells: one that is quoted whole is unquoted, any other quote is text."""
        cells, at = [], 0
        while True:
            match = self._field.match(line, at)
            quoted, plain = match.groups()  # type: ignore[union-attr]
            cells.append(plain if quoted is None else quoted.replace('""', '"'))
            at = match.end() + 1  # type: ignore[union-attr]
            if at > len(line):
                return cells

    def records(self, line: bytes) -> Iterator[tuple[bytes, list[str] | Malformed | None]]:
        """What a line holds: one record, but for lines that CR ends in a file of LF.

        A CR within a cell stays text: the line in one piece has the header's fields.
        """
        whole = self.read(line)
        if b"\r" in line.rstrip(b"\r"):
            parts = [(part, self.read(part)) for part in line.split(b"\r")]
            fit = [not isinstance(record, Malformed) for part, record in parts if part]
            if all(fit) or (any(fit) and isinstance(whole, Malformed)):
                yield from parts
                return
        yield line, whole

    def headings(self, block: bytes) -> Iterator[int]:
        """Where the header may stand again, in whatever case and spacing: its longest name does."""
        name = max((n for n in self.names if n.isascii()), key=len, default="").upper().encode()
        upper = block.upper() if name else b""
        at = upper.find(name) if name else -1
        while at >= 0:
            yield at
            at = upper.find(name, at + 1)

    def read(self, line: bytes) -> list[str] | Malformed | None:
        """A record's cells, as many as the header has.

        None for a line of blanks, for the header and for Excel's ``sep=;``.

        Where quotes would give another number of fields and separators alone the right one, the
        quotes are text. Blank fields too many at the end are spreadsheets' and dropped.
        """
        written = text(line.replace(b"\0", b"").removeprefix(codecs.BOM_UTF8)).replace("\r", " ")
        if not written.strip(_NOISE + self.separator) or SEPARATOR_HINT.fullmatch(written):
            return None
        wanted = len(self.names)
        cells = self._fit(self.split(written))
        if len(cells) != wanted:
            plain = written.split(self.separator)
            if len(plain) == wanted:
                cells = [self.split(cell)[0] if cell.startswith('"') else cell for cell in plain]
        if len(cells) != wanted:
            reason = f"linha com {len(cells)} campos, o cabeçalho tem {wanted}"
            return Malformed(tuple(cells), reason, written)
        if [cell.strip().casefold() for cell in cells] == self._folded:
            return None
        return cells

    @cached_property
    def _folded(self) -> list[str]:
        return [name.casefold() for name in self.names]

    def _fit(self, cells: list[str]) -> list[str]:
        """Blank fields at the end come and go."""
        wanted = len(self.names)
        while len(cells) > wanted and not cells[-1].strip():
            cells.pop()
        while len(cells) < wanted and not self.names[len(cells)]:
            cells.append("")
        return cells

    def write(self, cells: list[str]) -> str:
        """A line that any parser of CSV reads back as these cells."""
        return self.separator.join(
            '"' + cell.replace('"', '""') + '"' if '"' in cell or self.separator in cell else cell
            for cell in cells
        )


def read_grammar(stream: BinaryIO, name: str) -> Grammar:
    """Separator and names off the first line that is neither blank nor Excel's ``sep=;``.

    Raises:
        InvalidInput: there is none within the first 64 KiB.
    """
    start = re.split(rb"[\r\n]", next(blocks(stream, name, size=_HEAD), b""))
    lines = (text(line.replace(b"\0", b"")).strip("\ufeff\x1a") for line in start)
    hint, written = None, ""
    for written in filter(lambda line: line.strip(_NOISE), lines):
        if (found := SEPARATOR_HINT.fullmatch(written)) is None:
            break
        hint, written = found, ""
    if not written.strip(_NOISE):
        raise InvalidInput(f"{name}: nenhuma linha; baixe o arquivo de novo")
    separator = hint[1] if hint and hint[1] else ""
    if not separator or separator not in written:
        separator = max(_SEPARATORS, key=written.count)
    cells = Grammar(separator, ()).split(written)
    return Grammar(separator, tuple(cell.strip() for cell in cells), hint is not None)


def blocks(stream: BinaryIO, name: str, *, size: int | None = None) -> Iterator[bytes]:
    r"""Whole lines in UTF-8 or whatever bytes they are, ended by ``\n`` but for the file's last.

    CR and CRLF become LF where a file uses them, UTF-16 becomes UTF-8, a BOM goes.

    Raises:
        InvalidInput: the file is no text of lines.
    """
    size = size or BLOCK
    rest, only_cr = b"", None
    for chunk in _utf8(stream, name, size):
        data = rest + chunk
        if only_cr is None:
            only_cr = b"\n" not in data and b"\r" in data[:-1]
        kept = b""
        if b"\r" in data:
            if data.endswith(b"\r"):  # its LF may be the next block's first byte
                data, kept = data[:-1], b"\r"
            data = data.replace(b"\r\n", b"\n")
            if only_cr:
                data = data.replace(b"\r", b"\n")
        cut = data.rfind(b"\n") + 1
        if cut:
            yield unquoted(data[:cut])
        rest = data[cut:] + kept
        if len(rest) > _LONGEST_LINE:
            raise InvalidInput(f"{name}: não é um CSV, não tem linhas; confira o arquivo")
    if rest.endswith(b"\r"):
        rest = rest[:-1] + b"\n"
    if rest:
        yield unquoted(rest)


def unquoted(block: bytes) -> bytes:
    """The block without the quotes of lines in which each encloses a whole cell that needs none.

    Programs that quote every cell would otherwise have each line read by itself (20 times slower).
    Cells are taken to end at any of the separators: a line with another inside quotes stays.
    """
    if b'"' not in block:
        return block
    codes = np.frombuffer(b"\n" + block + b"\n", np.uint8)
    quotes = np.flatnonzero(codes == _QUOTE)
    edges = np.flatnonzero(_EDGE[codes])
    line = np.searchsorted(np.flatnonzero(codes == _NEWLINE), quotes)
    starts = np.flatnonzero(np.diff(line, prepend=-1))
    counts = np.diff(starts, append=len(quotes))
    opening = (np.arange(len(quotes)) - np.repeat(starts, counts)) % 2 == 0
    within = np.searchsorted(edges, quotes)
    # A cell's two quotes have the same edges around them, the edge before it and the one after.
    partner = np.where(opening, np.append(within[1:], -1), np.insert(within[:-1], 0, -1))
    fits = np.where(opening, _EDGE[codes[quotes - 1]], _EDGE[codes[quotes + 1]])
    good = np.logical_and.reduceat(fits & (partner == within), starts) & (counts % 2 == 0)
    gone = quotes[np.repeat(good, counts)]
    return np.delete(codes, gone)[1:-1].tobytes() if len(gone) else block


def _utf8(stream: BinaryIO, name: str, size: int) -> Iterator[bytes]:
    head = stream.read(4)
    encoding = _utf16(head)
    decoder = codecs.getincrementaldecoder(encoding)() if encoding else None
    chunk = head.removeprefix(codecs.BOM_UTF8) + stream.read(size)
    while chunk:
        if decoder is None:
            yield chunk
        else:
            try:
                yield decoder.decode(chunk).removeprefix("\ufeff").encode()
            except UnicodeError:
                raise InvalidInput(
                    f"{name}: começa em UTF-16 e não continua; baixe o arquivo de novo"
                ) from None
        chunk = stream.read(size)
    if decoder is not None and decoder.getstate()[0]:
        raise InvalidInput(f"{name}: termina no meio de um caractere; baixe o arquivo de novo")


def _utf16(head: bytes) -> str | None:
    if head.startswith(codecs.BOM_UTF16_LE) or (len(head) == 4 and head[1] == head[3] == 0):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE) or (len(head) == 4 and head[0] == head[2] == 0):
        return "utf-16-be"
    return None


@dataclass
class Lines:
    """The file as Arrow's parser takes it: a binary stream of UTF-8 lines, all of equal fields.

    Attributes:
        cut: a last record without line end is rejected.
        malformed: those left out, each with its record number.
        before: how many records were kept before each of them.
        recoded: rows that were not UTF-8.
        nul: rows with NUL bytes, which are dropped.
        headings: repetitions of the header, passed over.
    """

    stream: BinaryIO
    grammar: Grammar
    name: str
    cut: bool = False
    malformed: list[tuple[int, Malformed]] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    recoded: int = 0
    nul: int = 0
    headings: int = -1
    kept: int = 0
    closed: bool = False

    def __post_init__(self) -> None:
        """Nothing is read yet."""
        self._blocks = blocks(self.stream, self.name)
        self._ready = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        """Some of the stream; nothing at its end."""
        while not self._ready:
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._ready = memoryview(self._regular(block))
        size = len(self._ready) if size < 0 else size
        part, self._ready = self._ready[:size], self._ready[size:]
        return bytes(part)

    def numbers(self, first: int, count: int) -> np.ndarray:
        """1-based record numbers of the kept rows from ``first`` (0-based) on."""
        kept = np.arange(first, first + count, dtype=np.int64)
        return kept + 1 + np.searchsorted(self.before, kept, side="right")

    def _regular(self, block: bytes) -> bytes:
        """The block with every odd line written anew, or taken out."""
        ended = block.endswith(b"\n")
        if not ended:
            block += b"\n"
        codes = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(codes == _NEWLINE)
        odd = self._odd(block, codes, ends)
        cut = len(ends) - 1 if self.cut and not ended else -1
        if cut >= 0:
            odd[cut] = True
        foreign = _not_ascii(block, codes, ends)
        parts, at, seen = [], 0, 0
        for index in np.flatnonzero(odd | foreign):
            start = int(ends[index - 1]) + 1 if index else 0
            end = int(ends[index]) + 1
            parts.append(block[at:start])
            self.kept += int(index) - seen
            line = block[start : end - 1]
            parts += (
                self._rewritten(line, cut=index == cut) if odd[index] else [self._decoded(line)]
            )
            at, seen = end, int(index) + 1
        self.kept += len(ends) - seen
        parts.append(block[at:])
        return b"".join(parts)

    def _odd(self, block: bytes, codes: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Which lines cannot pass as they are."""
        separators = np.flatnonzero(codes == ord(self.grammar.separator))
        fields = np.diff(np.searchsorted(separators, ends), prepend=0)
        odd = (fields != len(self.grammar.names) - 1) | (np.diff(ends, prepend=-1) - 1 == fields)
        for byte in (b'"', b"\0", b"\r"):
            if byte in block:
                odd[np.searchsorted(ends, np.flatnonzero(codes == byte[0]))] = True
        for at in self.grammar.headings(block):
            odd[np.searchsorted(ends, at)] = True
        return odd

    def _rewritten(self, line: bytes, *, cut: bool) -> Iterator[bytes]:
        found = list(self.grammar.records(line))
        for n, (part, record) in enumerate(found, 1):
            if record is None:
                written = text(part).strip(_NOISE + self.grammar.separator)
                self.headings += bool(written) and not SEPARATOR_HINT.fullmatch(written)
                continue
            if cut and n == len(found) and not isinstance(record, Malformed):
                record = Malformed(tuple(record), CUT, text(part))
            if isinstance(record, Malformed):
                self.malformed.append((self.kept + len(self.malformed) + 1, record))
                self.before.append(self.kept)
                continue
            self.nul += b"\0" in part
            self._decoded(part)
            yield (self.grammar.write(record) + "\n").encode()

    def _decoded(self, line: bytes) -> bytes:
        """A kept line in UTF-8, counted."""
        self.kept += 1
        try:
            line.decode()
        except UnicodeDecodeError:
            self.recoded += 1
        return (text(line) + "\n").encode()


def _not_ascii(block: bytes, codes: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Lines to decode by themselves: none where the whole block is UTF-8."""
    lines = np.zeros(len(ends), bool)
    try:
        block.decode()
    except UnicodeDecodeError:
        lines[np.searchsorted(ends, np.flatnonzero(codes > 0x7F))] = True
    return lines
