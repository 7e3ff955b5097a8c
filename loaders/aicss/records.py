"""What an AICSS record looks like: the device's shapes, told by content.

Belongs here: lines → records, computed. Not here: bytes and noise (text.py), what a record's values
mean (reading.py).
"""

import csv
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from loaders.aicss.clock import (
    TIME_ONLY,
    Unreadable,
    in_prefix,
)
from loaders.aicss.text import LONGEST_RECORD

UNREADABLE_JSON = "JSON ilegível"
NOT_AN_OBJECT = "JSON que não é um objeto"
INCOMPLETE = "última linha incompleta: o arquivo acaba sem fim de linha"

SYNONYMS = {
    "dispositivo_id": "dispositivo_id dispositivo device_id device",
    "medido_em": "medido_em timestamp data_hora horario datetime",
    "data": "data",
    "hora": "hora",
    "luz": "luz light_level",
    "distancia_cm": "distancia_cm distancia distance",
    "consumo_interno": "consumo_interno internal_led led_interno",
    "consumo_externo": "consumo_externo external_led led_externo",
    "temperatura": "temperatura temperature",
    "movimento": "movimento motion",
    "energia_economizada_kwh": "energia_economizada_kwh energy_saved_kwh",
}
FIELD_OF = {s: field_name for field_name, names in SYNONYMS.items() for s in names.split()}
NUMBERS = ("luz", "distancia_cm", "temperatura", "energia_economizada_kwh")
STATES = ("consumo_interno", "consumo_externo", "movimento")
_N = r"[-+]?\d+(?:[.,]\d+)?"
SERIAL = re.compile(
    rf"(?P<prefixo>.*?)\bLuz\s*:\s*(?P<luz>{_N})\s*\|"
    rf"\s*Dist\S{{0,4}}ncia\s*:\s*(?P<distancia>{_N})\s*+(?:cm)?\s*$",
    re.IGNORECASE,
)
TERMINAL_PREFIX = re.compile(r"\w\s*(?:[:>)\]]|->)")
BETWEEN_JSON = re.compile(r"[\s,\[\]]*")
_TEXT = r'"(?:[^"\\]|\\.)*+"'
_PAIR = rf"{_TEXT}\s*:\s*(?:{_TEXT}|[-+.\w]+)"
WRAPPER = re.compile(rf"\{{\s*(?:{_PAIR}\s*,\s*)*{_TEXT}\s*:\s*\[(?=\s*\{{)")
"""``{"readings": [``, with single values before it that are of every reading in the list."""
WRAPPER_END = re.compile(rf"(?:{_PAIR}\s*+,?\s*+)*\}}")
OUTSIDE = "objeto fora da lista de leituras"
AFTER_BROKEN = re.compile(r"\n|\}\s*,\s*(?=\{)")
OTHER_LINE = re.compile(r"luz\s*:|dist\S{0,4}ncia\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class Record:
    """What stands at one line of a file: named values, or the reason why there are none.

    ``in_order``: a device wrote it before the records that follow, as it does on a serial line.
    ``arrived``, ``device``: when, and of which device, it came by itself; None in a file.
    """

    line: int
    text: str
    values: dict[str, Any] | None = None
    reason: str | None = None
    in_order: bool = False
    arrived: datetime | None = None
    device: str | None = None


@lru_cache(maxsize=1024)
def plain_name(field_name: str) -> str:
    """A field's name without accents, case, blanks, quotes and brackets."""
    without_accent = unicodedata.normalize("NFKD", field_name).encode("ascii", "ignore").decode()
    return re.sub(r"[\W_]+", "_", without_accent.lower()).strip("_")


def cells_of(text: str, separator: str) -> list[str]:
    """A CSV line's cells; none where it is no such line."""
    try:
        return next(csv.reader([text.strip("\n")], delimiter=separator, skipinitialspace=True))
    except csv.Error:
        return []


def _separator(header: str) -> str | None:
    """The delimiter of a CSV header of known names; None when the line is no such header."""
    for separator in (";", "\t", ",", "|"):
        if sum(plain_name(c) in FIELD_OF for c in cells_of(header, separator)) >= 2:
            return separator
    return None


def header(sample: Iterable[str]) -> str:
    """The header of a CSV, the first line that names two known columns; '' when there is none."""
    return next((x.strip() for x in sample if _separator(x)), "")


def format_of(sample: Iterable[str]) -> str | None:
    """``serial``, ``csv`` or ``json`` by the content of a file's first lines; None if unknown."""
    useful = [x.strip() for x in sample if x.strip()]
    if any(SERIAL.match(x) and x[0] != "{" for x in useful):
        return "serial"
    if any(x[0] not in "{[" and _separator(x) for x in useful):
        return "csv"
    if any(prefixed_json(x) for x in useful):
        return "serial"
    return "json" if any(x[0] in "{[" for x in useful) else None


def _whole_lines(given: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, str | None]]:
    """Lines that are not blank, with the reason why one cannot be read as a line.

    Of an overlong line only the first piece comes.
    """
    line, text, pieces = 0, "", 0
    for number, piece in given:
        if pieces and number == line:
            pieces += 1
            text = text if not piece.endswith("\n") else text.rstrip("\n") + "\n"
            continue
        if text.strip():
            yield line, text, _defect(text, pieces)
        line, text, pieces = number, piece, 1
    if text.strip():
        yield line, text, _defect(text, pieces)


def _defect(text: str, pieces: int) -> str | None:
    if not text.endswith("\n"):
        return INCOMPLETE
    return "linha longa demais" if pieces > 1 else None


def serial_records(given: Iterable[tuple[int, str]]) -> Iterator[Record]:
    """Records of a serial log: every line that is not blank."""
    first: Record | None = None
    for line, text, reason in _whole_lines(given):
        record = _serial_record(line, text, reason)
        if first is not None:
            # A terminal attached in the middle of a line: the next line shows what is missing.
            yield _if_whole(first, record)
            first = None
        if line == 1 and record.values:
            first = record
        else:
            yield record
    if first is not None:
        yield first


def prefixed_json(text: str) -> dict[str, Any] | None:
    """The values of an object that a terminal wrote something before: the time, if it did."""
    before, brace, after = text.partition("{")
    if not brace or {"}", '"'} & set(before) or not after.rstrip().endswith("}"):
        return None
    if not TERMINAL_PREFIX.search(before):
        return None
    values, _, reason = _next_json(brace + after, 0)
    if reason or values is None:
        return None
    has_time = any(FIELD_OF.get(plain_name(name)) == "medido_em" for name in values)
    return values if has_time else values | {"medido_em": in_prefix(before)}


def _serial_record(line: int, text: str, reason: str | None) -> Record:
    if not reason and (values := prefixed_json(text)):
        return Record(line, text, values, in_order=True)
    found = SERIAL.match(text)
    if reason or found is None or OTHER_LINE.search(found["prefixo"]):
        return Record(line, text, reason=reason or "linha ilegível")
    values = {
        "medido_em": in_prefix(found["prefixo"]),
        "luz": found["luz"],
        "distancia_cm": found["distancia"],
    }
    return Record(line, text, values, in_order=True)


def _if_whole(first: Record, second: Record) -> Record:
    """The first line, unless its time is the second's with the beginning cut off."""
    hours = [str((r.values or {}).get("medido_em", "")) for r in (first, second)]
    forms = [re.sub(r"\d", "9", hour) for hour in hours]
    before_luz = [
        re.sub(r"\d", "9", re.split(r"\bluz", r.text, flags=re.I)[0]) for r in (first, second)
    ]
    without_time = not hours[0] and not (hours[1] and before_luz[1].endswith(before_luz[0]))
    if forms[0] == forms[1] or without_time or not forms[1].endswith(forms[0]):
        return first
    parts = [TIME_ONLY.fullmatch(hour) for hour in hours]
    if all(parts) and hours[0].count(":") == hours[1].count(":"):
        before, after = (int(m["h"]) * 60 + int(m["min"]) for m in parts)
        if after - before < 600 or (after - before) % 600 > 1:
            return first  # 9:59:59, then 10:00:00: not 19:59:59 without its 1
    return Record(first.line, first.text, reason="linha cortada no começo")


def csv_records(given: Iterable[tuple[int, str]]) -> Iterator[Record]:
    """Records of a CSV with header; the header again (files put together) is no record."""
    header, separator, columns = "", ",", []
    for line, text, reason in _whole_lines(given):
        if text.strip() == header:
            continue
        if not header and (found := _separator(text)):
            header, separator = text.strip(), found
            columns = cells_of(text, separator)
            continue
        cells = cells_of(text, separator)
        if len(cells) > len(columns) and not any(map(str.strip, cells[len(columns) :])):
            cells = cells[: len(columns)]
        if not header:
            reason = "linha antes do cabeçalho"
        elif not reason and len(cells) != len(columns):
            reason = f"esperadas {len(columns)} colunas, há {len(cells)}"
        values = None if reason else dict(zip(columns, cells, strict=True))
        yield Record(line, text, values, reason)


def json_records(given: Iterable[tuple[int, str]]) -> Iterator[Record]:
    """Records of an object, an array, or JSON lines; a broken object costs itself or its line.

    A file that begins as ``{"readings": [`` holds such lists, one or more.
    """
    pieces = iter(given)
    parsed, pos, line, at_end = "", 0, 1, False
    first, wrapped, common = True, False, None
    while True:
        # A whole record ahead, or the end: what does not decode now never will.
        if not at_end and len(parsed) - pos < LONGEST_RECORD:
            new = "".join(text for _, text in islice(pieces, 1000))
            parsed, pos, at_end = parsed[pos:] + new, 0, not new
            continue
        stop = BETWEEN_JSON.match(parsed, pos).end()
        line, pos = line + parsed.count("\n", pos, stop), stop
        if pos == len(parsed) and at_end:
            return
        if len(parsed) - pos < LONGEST_RECORD and not at_end:
            continue
        if wrapped and common is not None and (end := WRAPPER_END.match(parsed, pos)):
            _refuse_late(end[0], common)
            common, stop = None, end.end()
            line, pos = line + parsed.count("\n", pos, stop), stop
            continue
        if (first or wrapped) and common is None and (opened := _wrapper(parsed, pos)):
            common, stop = opened
            line, pos = line + parsed.count("\n", pos, stop), stop
            first, wrapped = False, True
            continue
        first = False
        value, stop, reason = _next_json(parsed, pos)
        if wrapped and value is not None:
            value, reason = (common | value, None) if common is not None else (None, OUTSIDE)
        if reason and at_end and stop == len(parsed) and not parsed.endswith("\n"):
            reason = INCOMPLETE
        yield Record(line, parsed[pos:stop], value, reason)
        line, pos = line + parsed.count("\n", pos, stop), stop


def in_a_list(sample: Iterable[str]) -> bool:
    """Whether a JSON file's first lines say that its readings stand in ``{"readings": [``."""
    text = "".join(sample)
    return _wrapper(text, BETWEEN_JSON.match(text).end()) is not None


def _wrapper(parsed: str, pos: int) -> tuple[dict[str, Any], int] | None:
    """What an object says of every reading in its list, and where the list begins."""
    if not (found := WRAPPER.match(parsed, pos)):
        return None
    whole, _, _ = _next_json(parsed, pos)
    try:
        around = whole or json.loads(found[0] + "]}", parse_constant=str)
    except ValueError:
        return None
    reading, _, _ = _next_json(parsed, BETWEEN_JSON.match(parsed, found.end()).end())
    if _measures(around) or not _measures(reading or {}):
        return None
    return {n: value for n, value in around.items() if not isinstance(value, list)}, found.end()


def _refuse_late(end: str, common: dict[str, Any]) -> None:
    """What stands after a list too long to be read at once came too late for its readings.

    Raises:
        Unreadable: it is a device or a time.
    """
    after = _next_json("{" + end, 0)[0] or {}
    late = [name for name in after.keys() - common if plain_name(name) in FIELD_OF]
    if late:
        raise Unreadable(
            f"{', '.join(sorted(late))} está depois da lista de leituras: ponha antes dela"
        )


def _measures(values: dict[str, Any]) -> bool:
    return any(FIELD_OF.get(plain_name(name)) in (*NUMBERS, *STATES) for name in values)


def _next_json(parsed: str, pos: int) -> tuple[dict[str, Any] | None, int, str | None]:
    """The value at a position, where it ends, and why it is no record (then the value is None)."""
    try:
        value, stop = json.JSONDecoder(parse_constant=str).raw_decode(parsed, pos)
    except (ValueError, RecursionError):
        found = AFTER_BROKEN.search(parsed, pos)
        return None, found.end() if found else len(parsed), UNREADABLE_JSON
    if isinstance(value, dict):
        return value, stop, None
    return None, stop, NOT_AN_OBJECT


READERS = {"serial": serial_records, "csv": csv_records, "json": json_records}
