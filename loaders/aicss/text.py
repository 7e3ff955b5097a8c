"""The bytes of an AICSS log as clean, numbered lines, and how many records they hold.

Belongs here: encodings, line ends, what a terminal or a serial line adds. Not here: what a line
says (reading.py).
"""

import codecs
import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

LONGEST_RECORD = 64 * 1024
CHUNK = 1 << 18
NOISE = "bytes de ruído"
"""Key of the counter that ``lines`` adds to."""

_SAMPLE = 4096
_END = re.compile(rb"\r{1,2}\n|\r|\n")  # \r\r\n: a program's \r\n through a text-mode file
_SUSPECT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u241b\ufeff]|\[[\d;]*m")
_ESCAPE = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)"  # a window's title
    r"|(?:[\x1b\u241b]\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|[\x1b\u241b](?:[ -/]+[0-~]|[0-Z\\^-~])"
    r"|\[\d[\d;]*m"  # colours whose ESC a logger took for unprintable
    r"|(?:[\x1b\u241b]\[?|\x9b)[0-?]*$"  # cut off
)
_NOISE = re.compile(r"[\x00\x07\x11\x13\x1a\x7f\ufeff]")
_ASCII = re.compile(r"[^ -~\t]")
_JSON_MARK = re.compile(r'\\.|["{}]')


def encoding(file: BinaryIO) -> tuple[str, int]:
    """A file's encoding and the length of its mark; ``utf-8`` may still have lines in cp1252."""
    file.seek(0)
    head = file.read(_SAMPLE)
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if head.startswith(mark):
            return name, len(mark)
    # Without a mark: Latin text in UTF-16 has a NUL in every other byte.
    even, odd = (head[i::2].count(0) / max(1, len(head[i::2])) for i in (0, 1))
    if odd > 0.7 and even < 0.1:
        return "utf-16-le", 0
    return ("utf-16-be" if even > 0.7 and odd < 0.1 else "utf-8"), 0


def lines(file: BinaryIO, noise: Counter[str] | None = None) -> Iterator[tuple[int, str]]:
    r"""Numbered lines of a seekable file, each UTF-8 or else cp1252, ended by ``\n``.

    The last one has no ``\n`` if the file has none there: it is incomplete. A line longer than
    ``LONGEST_RECORD`` comes in pieces that share its number. Escape sequences are taken out; so are
    NUL and the like, which ``noise`` counts.
    """
    noise = Counter() if noise is None else noise
    number, rest = 1, b""
    for chunk in _chunks(file):
        *whole, rest = split_lines(rest + chunk, last=not chunk)
        for line in whole:
            yield number, clean(line, noise)
            number += line.endswith((b"\n", b"\r"))
    if rest:
        yield number, clean(rest, noise)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """The file in UTF-8 or whatever 8-bit it is in, without its mark; then an empty chunk."""
    name, start = encoding(file)
    file.seek(start)
    decoder = None if name == "utf-8" else codecs.getincrementaldecoder(name)("replace")
    while chunk := file.read(CHUNK):
        text = decoder.decode(chunk).encode() if decoder else chunk
        if text:
            yield text
    if decoder and (left := decoder.decode(b"", final=True)):
        yield left.encode()
    yield b""


def split_lines(data: bytes, *, last: bool) -> Iterator[bytes]:
    """Whole lines with their ends, pieces of overlong ones, then what the next chunk may go on."""
    at = 0
    for end in _END.finditer(data):
        if not last and end[0] == b"\r" and data[end.end() : end.end() + 2] in (b"", b"\r"):
            break  # the \n of it may come
        yield from _pieces(data[at : end.end()])
        at = end.end()
    *pieces, rest = _pieces(data[at:]) if at < len(data) else (b"",)
    yield from pieces
    yield rest


def _pieces(line: bytes) -> Iterator[bytes]:
    """A line, or an overlong one in pieces that cut no UTF-8 character."""
    while len(line) > LONGEST_RECORD:
        cut = LONGEST_RECORD
        while cut > LONGEST_RECORD - 3 and line[cut] & 0xC0 == 0x80:
            cut -= 1
        yield line[:cut]
        line = line[cut:]
    yield line


def clean(line: bytes, noise: Counter[str]) -> str:
    r"""One line as text, UTF-8 or else cp1252, its end a ``\n`` if it has one, without noise."""
    ended = line.endswith((b"\n", b"\r"))
    body = line.rstrip(b"\r\n") if ended else line
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode("cp1252", "replace")
    if _SUSPECT.search(text):
        text = _without_noise(text, noise)
    return f"{text}\n" if ended else text


def _without_noise(text: str, noise: Counter[str]) -> str:
    text, found = _NOISE.subn("", _ESCAPE.sub("", text))
    noise[NOISE] += found
    return _erased(text) if "\b" in text else text


def _erased(text: str) -> str:
    """What a terminal shows after its backspaces."""
    shown: list[str] = []
    for character in text:
        if character != "\b":
            shown.append(character)
        elif shown:
            shown.pop()
    return "".join(shown)


# ---- how many records there are, by other means than what reads them ---------------------------


def _text(file: BinaryIO) -> Iterator[str]:
    r"""The file's text in chunks, every line end a ``\n``; at the end an empty one."""
    name, start = encoding(file)
    file.seek(start)
    newlines = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(name)("replace"), translate=True
    )
    while chunk := file.read(CHUNK):
        yield newlines.decode(chunk)
    yield newlines.decode(b"", final=True)
    yield ""


def count_lines(file: BinaryIO, header: str = "") -> int:
    """Lines that are neither blank nor, its letters without accents, the header."""
    header = _ASCII.sub("", header).strip()
    total, rest = 0, ""
    for chunk in _text(file):
        *whole, rest = (rest + chunk).split("\n")
        total += sum(_is_record(line, header) for line in whole)
    return total + _is_record(rest, header)


def _is_record(line: str, header: str) -> bool:
    text = _without_noise(line, Counter()) if _SUSPECT.search(line) else line
    return bool(text.strip()) and not (header and _ASCII.sub("", text).strip() == header)


def count_objects(file: BinaryIO, *, within: int = 0) -> int:
    """Objects of a file of well-formed JSON values: the outermost, or those ``within`` as many."""
    total, depth, quoted, rest = 0, 0, False, ""
    for chunk in _text(file):
        text = rest + chunk
        rest = "\\" * ((len(text) - len(text.rstrip("\\"))) % 2)
        for mark in _JSON_MARK.findall(text[: len(text) - len(rest)]):
            if mark == '"':
                quoted = not quoted
            elif not quoted and mark in "{}":
                total += mark == "{" and depth == within
                depth += 1 if mark == "{" else -1
    return total
