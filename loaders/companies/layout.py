"""The registry's bulk layout: kinds of file, how each is told, columns by position.

Belongs here: Receita Federal's layout. Not here: bytes (reading.py), what lands (landing.py).
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """A kind of file of a delivery, with its word in messages."""

    ESTABLISHMENTS = "Estabelecimentos"
    COMPANIES = "Empresas"
    SIMPLES = "Simples"


FIELDS = {Kind.ESTABLISHMENTS: 30, Kind.COMPANIES: 7, Kind.SIMPLES: 7}
"""Columns of each kind; there is no header."""

_NAMES = (
    (Kind.ESTABLISHMENTS, re.compile(r"ESTABELE", re.IGNORECASE)),
    (Kind.COMPANIES, re.compile(r"EMPRE(SAS|CSV)", re.IGNORECASE)),
    (Kind.SIMPLES, re.compile(r"SIMPLES", re.IGNORECASE)),
)
_OTHERS = re.compile(r"SOCIO|CNAE|MUNIC|NATUREZA|NATJU|MOTIVO|MOTI|PAIS|QUALIFICA|QUALS", re.I)
"""Files of a delivery that nothing is taken from; partners are natural persons."""

_FOLDER_MONTH = re.compile(r"(?<!\d)(20\d\d)-(0[1-9]|1[0-2])(?!\d)")
_MEMBER_DAY = re.compile(r"\.D(\d)(0[1-9]|1[0-2])([0-3]\d)\b", re.IGNORECASE)
_PART = re.compile(r"(?:ESTABELECIMENTOS?|EMPRESAS?)(\d)\b|Y(\d)\.D", re.IGNORECASE)


@dataclass(frozen=True)
class Situation:
    """Positions in Estabelecimentos, of what is looked at while streaming."""

    ROOT, ORDER, DIGITS = 0, 1, 2
    CNAE, OTHER_CNAES, CEP, TOM = 11, 12, 18, 20


def kind_of_name(name: str) -> Kind | None:
    """The kind that a file's name says; None where it says another one or nothing."""
    return next((kind for kind, pattern in _NAMES if pattern.search(name)), None)


def is_other(name: str) -> bool:
    """Whether the name is of a file that belongs to a delivery and that nothing is taken from."""
    return kind_of_name(name) is None and bool(_OTHERS.search(name))


def kind_of_line(fields: list[str]) -> Kind | None:
    """The kind that a record's shape says, for a file whose name says nothing."""
    if len(fields) == FIELDS[Kind.ESTABLISHMENTS]:
        return Kind.ESTABLISHMENTS
    if len(fields) != FIELDS[Kind.COMPANIES]:
        return None
    return Kind.SIMPLES if fields[1] in ("S", "N", "") else Kind.COMPANIES


def month_of_name(name: str) -> date | None:
    """The month that a folder (``2026-06``) or a member (``….D60614.…``) says."""
    if found := _FOLDER_MONTH.search(name):
        return date(int(found[1]), int(found[2]), 1)
    if found := _MEMBER_DAY.search(name):
        return date(2020 + int(found[1]), int(found[2]), 1)
    return None


def part_of_name(name: str) -> int | None:
    """The number of a part, 0 to 9: Receita cuts each big table in ten files."""
    found = _PART.search(name)
    return int(found[1] or found[2]) if found else None
