"""What a column's text must be: numbers, dates, months, years.

Belongs here: one value's rule, told batch by batch. Not here: what becomes of a bad one.
"""

import re
import unicodedata
from datetime import MAXYEAR, date
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from loaders.open_data.dataset import Column, Kind
from loaders.safra import read_date

FILLERS = ("-", "..", "...", ".", "NULL", "NA", "N/A")
"""No value: databases, R, Excel's zero, SIDRA's signs for none and unknown."""

_NUMBER = (
    r"^[-+]?(\d{1,20}([.,]\d*)?|[.,]\d+|\d{1,3}(\.\d{3}){1,6}(,\d*)?|\d{1,3}(,\d{3}){1,6}(\.\d*)?)"
    r"([eE][-+]?\d{1,2})?$"
)
"""No more digits than a double takes: PostgreSQL would stop the build."""
_FIRST, _LAST = 1800, 2999
"""Years of a day, as in macro data_br; 9999 is no end."""
_TIME = re.compile(r"[T :][0-9:.,]*(Z|[-+]\d{2}:?\d{2})?$")
_MONTH = re.compile(r"(19|20)\d{2}[-/]?(0[1-9]|1[0-2])|(0[1-9]|1[0-2])[-/](19|20)\d{2}")
_PATTERNS = {
    Kind.NUMBER: _NUMBER,
    Kind.DEGREES: _NUMBER,
    Kind.INTEGER: r"^-?\d{1,9}([.,]0+)?$",
    Kind.YEAR: r"^(19|20)\d{2}([.,]0+)?$",
}


def folded(name: str) -> str:
    """A name without case, accents, spaces and marks: ``Hora UTC`` → ``horautc``."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(c for c in plain if c.isalnum() and c.isascii()).casefold()


def negative(texts: pa.Array) -> pa.Array:
    """Which trimmed texts are numbers less than nought."""
    return pc.match_substring_regex(texts, r"^-[^1-9]*[1-9]")


def blank(texts: pa.Array) -> pa.Array:
    """Which trimmed texts say nothing."""
    return pc.or_(pc.equal(texts, ""), pc.is_in(pc.utf8_upper(texts), pa.array(FILLERS)))


def unfit(texts: pa.Array, column: Column) -> pa.Array:
    """Which trimmed texts of a column are neither of its kind nor blank."""
    if column.kind is Kind.TEXT:
        return pa.array([False]).take(pa.array([0] * len(texts), pa.int64()))
    if column.kind in _PATTERNS:
        fits = pc.match_substring_regex(texts, _PATTERNS[column.kind])
    else:
        fit = is_date if column.kind is Kind.DATE else is_month
        different = [text for text in pc.unique(texts).to_pylist() if fit(text)]
        fits = pc.is_in(texts, pa.array(different, pa.string()))
    return pc.invert(pc.or_(fits, blank(texts)))


@lru_cache(2**14)
def is_date(text: str) -> bool:
    """Whether a day of the calendar stands there, in a form that staging reads (macro data_br)."""
    found = date_of(text)
    return found is not None and (_FIRST <= found.year <= _LAST or found.year == MAXYEAR)


def date_of(text: str) -> date | None:
    """The day that a text says, its time left out."""
    day = _TIME.sub("", text)
    return read_date(day.replace("/", "-") if re.match(r"\d{4}/", day) else day)


@lru_cache(2**12)
def is_month(text: str) -> bool:
    """Whether a month or a day stands there: 202401, 2024-01, 01/2024, 2024-01-01."""
    return bool(_MONTH.fullmatch(text)) or is_date(text)


def year_of(text: str) -> int | None:
    """The year in a date, a month or a year."""
    found = re.search(r"(19|20)\d{2}", text)
    return int(found[0]) if found else None
