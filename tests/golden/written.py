"""Rows that stand in raw tables as a loader leaves them, and what their texts mean.

Belongs here: the files of ``rows/``, numbers, months, agents as sources write them. Not here: what
a table makes of them (open_data.py, tariffs.py, companies.py, devices.py, weights.py).
"""

import csv
import re
import unicodedata
from datetime import date
from functools import cache

from tests.golden.domains import seed
from tests.golden.expected import Rows
from tests.golden.inputs import ROWS
from tests.golden.layers import day
from tests.golden.network import SEEDS

NOTHING = {"", "não se aplica", "nao se aplica", "não informado", "n/a", "-"}


def rows_of(table: str) -> Rows:
    """The rows of ``rows/<table>.csv``, all text; nothing for an empty cell."""
    with (ROWS / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file, delimiter=";"))
    return [{c: v or None for c, v in row.items()} for row in found]


def last(rows: Rows, *key: str) -> Rows:
    """Of the rows of one key that of the newest file, and there the last."""
    found = {}
    for row in sorted(rows, key=lambda r: (int(r["arquivo_id"]), int(r["linha"]))):
        found[tuple(row[c] for c in key)] = row
    return list(found.values())


def decimal(value: str | None) -> float | None:
    """The last mark is the decimal one, unless there are two of its kind; a sign is no number."""
    said = (value or "").strip()
    if not re.search(r"\d", said):
        return None
    marks = [c for c in said if c in ",."]
    if len(set(marks)) == 2 or len(marks) > 1:
        said = said.replace(marks[0], "")
    return float(said.replace(",", "."))


def month(value: str | None) -> date | None:
    """The first day of the month: of a day, or of year and month in any order."""
    said = (value or "").strip()
    if whole := re.fullmatch(r"(\d{4})[-/]?(\d{2})", said):
        return date(int(whole[1]), int(whole[2]), 1)
    if whole := re.fullmatch(r"(\d{2})[-/](\d{4})", said):
        return date(int(whole[2]), int(whole[1]), 1)
    written = day(value)
    return written.replace(day=1) if written else None


def said(value: str | None) -> str | None:
    """Text that says something: "does not apply" does not."""
    trimmed = (value or "").strip()
    return None if trimmed.lower() in NOTHING else trimmed


def said_day(value: str | None) -> date | None:
    """A day; 1900 and before is a sign for none."""
    written = day(value)
    return written if written and written.year > 1900 else None


def upper(value: str | None) -> str | None:
    """Trimmed, in capitals."""
    return value.strip().upper() if value is not None else None


def plain(value: str | None) -> str | None:
    """Capitals and digits alone, no accents."""
    letters = unicodedata.normalize("NFD", value or "").upper()
    return "".join(c for c in letters if c.isascii() and c.isalnum()) or None


def cnpj(value: str | None) -> str | None:
    """Fourteen characters, the zeros on the left put back; all zeros is none."""
    kept = plain(value) or ""
    return kept.zfill(14) if 10 <= len(kept) <= 14 and kept.strip("0") else None


# ── Whose a row is ────────────────────────────────────────────────────────────────────────────────
@cache
def _agents() -> tuple[dict[str, int], dict[str, int]]:
    lines = seed(SEEDS, "distribuidora_agente").to_dict("records")
    names = {plain(line["sig_agente"]): int(line["distribuidora_id"]) for line in lines}
    numbers: dict[str, int] = {}
    for line in lines:
        if line["cnpj"]:
            utility = int(line["distribuidora_id"])
            numbers[line["cnpj"]] = min(utility, numbers.get(line["cnpj"], utility))
    return names, numbers


def utility_of(name: str | None, number: str | None, known: set[int]) -> int | None:
    """By its CNPJ, else by its acronym, of those that the domain has."""
    names, numbers = _agents()
    found = (numbers.get(number), names.get(plain(name)))
    return next((u for u in found if u in known), None)
