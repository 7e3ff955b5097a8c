"""Numbers written as text: which character groups thousands in a column, and which starts decimals.

Belongs here: telling that from a column's values, reading them. Not here: columns' types, files.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

FILLERS = frozenset({"", "-", ".", "NULL", "<NULL>", "\\N", "NONE", "NA"})
"""No value, as SAS (``.``), databases, R, Python and Excel (``-``, its accounting zero) write it.
Not ``n/d`` or ``#N/D``: somebody looked for a value and did not find it, so a column with them is
refused. Not ``nan``: a row whose energy is no number is rejected, and kept."""

POINT, COMMA, NONE = "ponto", "virgula", "nao"
"""What a person may say groups thousands where a column does not tell: option ``--milhar``."""

_SIGN = r"[-+]?"
_FORMS = {
    name: re.compile(_SIGN + pattern)
    for name, pattern in {
        "plain": r"\d{1,3}",
        "long": r"\d{4,}",
        "point_group": r"[1-9]\d{0,2}(\.\d{3})+",
        "comma_group": r"[1-9]\d{0,2}(,\d{3})+",
        "brazilian": r"[1-9]\d{0,2}(\.\d{3})+,\d*",
        "english": r"[1-9]\d{0,2}(,\d{3})+\.\d*",
        "point_decimal": r"(\d+\.\d*|\.\d+)([eE][-+]?\d+)?",
        "comma_decimal": r"(\d+,\d*|,\d+)([eE][-+]?\d+)?",
    }.items()
}
"""Form → pattern; the first that fits a value is its form. A group never starts with a zero."""
_SAYABLE = re.compile(rf"{_SIGN}[\d.,]{{1,15}}([eE]{_SIGN}\d{{1,3}})?%?|#[A-Z/0!?]{{2,8}}")
_DIGITS = 10
"""No more in a quoted value: a CPF has eleven."""


@lru_cache(2**14)
def form(value: str) -> str | None:
    """Which of the forms a trimmed value has; None for what is no number."""
    return next((name for name, regex in _FORMS.items() if regex.fullmatch(value)), None)


def sayable(value: str) -> str:
    """A value for a message: what is no number may be another column's text, of a row that slid."""
    value = value.strip()
    if _SAYABLE.fullmatch(value) and sum(map(str.isdigit, value)) <= _DIGITS:
        return repr(value)
    return "um texto" if value else "vazio"


@dataclass(frozen=True)
class Notation:
    """How one column writes numbers: what is taken out, what becomes the decimal point."""

    group: str = ""
    decimal: str = "."


@dataclass
class Shapes:
    """The forms seen in one column of a whole file, with two values of each."""

    seen: dict[str, list[str]] = field(default_factory=dict)

    def add(self, value: str) -> None:
        """Take one value into account."""
        name = form(value.strip())
        if name is None or name == "plain":
            return
        known = self.seen.setdefault(name, [])
        if len(known) < 2 and value.strip() not in known:
            known.append(value.strip())

    def settled(self, mark: str) -> bool:
        """Whether values with this mark, ``.`` or ``,``, and no other say nothing new."""
        return ("point_decimal" if mark == "." else "comma_decimal") in self.seen

    @property
    def told(self) -> bool:
        """Whether some value is written as only one notation would."""
        return bool(self.seen.keys() - {"point_group", "comma_group"})

    def doubtful(self, said: str | None) -> list[str]:
        """Two values that can be read in two ways; none where the column, or a person, says how."""
        points, commas = self.seen.get("point_group", []), self.seen.get("comma_group", [])
        seen = self.seen.keys()
        if {"brazilian", "english"} <= seen:
            return self.seen["brazilian"][:1] + self.seen["english"][:1]
        if "brazilian" in seen and "point_decimal" in seen:
            return self.seen["brazilian"][:1] + self.seen["point_decimal"][:1]
        if "english" in seen and "comma_decimal" in seen:
            return self.seen["english"][:1] + self.seen["comma_decimal"][:1]
        if "brazilian" in seen or "english" in seen or said is not None:
            return []
        if points and not seen & {"point_decimal", "long"}:
            return (points + self.seen.get("comma_decimal", []) + commas)[:2]
        if commas and not seen & {"comma_decimal", "long"}:
            return (commas + self.seen.get("point_decimal", []) + points)[:2]
        return []

    def notation(self, said: str | None) -> Notation:
        """How to read the column, if nothing in it is doubtful."""
        seen = self.seen.keys()
        points = said == POINT and "point_group" in seen and "point_decimal" not in seen
        commas = said == COMMA and "comma_group" in seen and "comma_decimal" not in seen
        if "brazilian" in seen or points:
            return Notation(".", ",")
        if "english" in seen or commas:
            return Notation(",", ".")
        return Notation("", "," if seen & {"comma_decimal", "comma_group"} else ".")


def read(texts: pa.Array, notation: Notation) -> pa.Array:
    """Text to double; blanks and fillers are null.

    Raises:
        pa.ArrowInvalid: a value is no number in this notation.
    """
    clean = pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)
    if notation.group:
        clean = pc.replace_substring(clean, notation.group, "")
    if notation.decimal == ",":
        clean = pc.replace_substring(clean, ",", ".")
    try:
        return clean.cast(pa.float64())
    except pa.ArrowInvalid:
        pass
    clean = pc.replace_substring_regex(pc.utf8_trim_whitespace(clean), r"^\+", "")
    fillers = pc.is_in(pc.utf8_upper(clean), pa.array(sorted(FILLERS), clean.type))
    return pc.if_else(fillers, pa.scalar(None, clean.type), clean).cast(pa.float64())
