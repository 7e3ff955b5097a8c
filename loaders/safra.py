"""The unit of work: one vintage of one distributor.

Belongs here: the key ``distribuidora-ano``, keys in a message, base dates. Not here: files,
database.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from loaders.errors import InvalidInput

_MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()  # noqa: SIM905
_FORMATS = (
    re.compile(r"(?P<d>\d{2})/(?P<m>\d{2})/(?P<a>\d{4})"),
    re.compile(r"(?P<a>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})"),
    re.compile(r"(?P<d>\d{2})(?P<m>[A-Z]{3})(?P<a>\d{4})"),
)
_FIRST_YEAR = 2000
_GREATEST_DISTRIBUIDORA = 65_535
"""A uc_id holds the code in four hex digits; ANEEL's agent codes are below 12,000."""


@dataclass(frozen=True, order=True)
class Safra:
    """A distributor's base of one year.

    Attributes:
        distribuidora_id: ANEEL's agent code (DIST).
        ano: year of ``data_base``, first half of the partition key.
        data_base: last day that the base covers (BASE.DAT_FNL).
    """

    distribuidora_id: int
    ano: int
    data_base: date = field(compare=False)

    @classmethod
    def from_date(cls, distribuidora_id: int, data_base: date) -> "Safra":
        """Make a safra of a base date; InvalidInput when a number is out of its range."""
        if not 0 < distribuidora_id <= _GREATEST_DISTRIBUIDORA:
            raise InvalidInput(f"DIST {distribuidora_id} não é um código de distribuidora")
        if not _FIRST_YEAR <= data_base.year <= datetime.now(UTC).year + 1:
            raise InvalidInput(f"data-base {data_base:%d/%m/%Y} fora do intervalo possível")
        return cls(distribuidora_id, data_base.year, data_base)

    @classmethod
    def from_key(cls, key: str) -> "Safra":
        """Read ``401-2024``; ValueError when it is not of that form."""
        parts = re.fullmatch(r"(\d{1,6})-(\d{4})", key.strip())
        if not parts:
            raise ValueError(f"{key!r} não é uma safra: escreva distribuidora-ano, como 401-2024")
        return cls.from_date(int(parts[1]), date(int(parts[2]), 12, 31))

    @property
    def key(self) -> str:
        """The key that people and Dagster use."""
        return f"{self.distribuidora_id}-{self.ano}"

    @property
    def lock_key(self) -> int:
        """Second key of the advisory lock that one landing of the safra holds."""
        return self.distribuidora_id * 10_000 + self.ano


def listed(keys: Sequence[str], most: int = 5) -> str:
    """Some keys for a message, however many there are."""
    rest = f" e mais {len(keys) - most}" if len(keys) > most else ""
    return ", ".join(keys[:most]) + rest


def read_date(text: object) -> date | None:
    """Read DD/MM/AAAA, ISO or SAS (``31DEC2024…``) dates; None when it is none of them."""
    if isinstance(text, datetime):
        return text.date()
    if isinstance(text, date):
        return text
    for format_of in _FORMATS:
        parts = format_of.match(str(text or "").strip().upper())
        if parts:
            month = parts["m"]
            try:
                number = int(month) if month.isdigit() else _MONTHS.index(month) + 1
                return date(int(parts["a"]), number, int(parts["d"]))
            except ValueError:
                return None
    return None
