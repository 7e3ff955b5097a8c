"""What no unit can draw, no place or day can be: limits (seeds/limite_fisico.csv) and their use.

Belongs here: pure Arrow computations on typed rows. Not here: what is merely unlikely (the gate's
rules), rows that cannot be keyed (columns.py).
"""

import csv
import re
from collections import Counter
from datetime import date
from functools import cache, lru_cache, reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from loaders.bdgd.layers import NUMBER, Layer
from loaders.environment import CLONE

LIMITS = Path(CLONE) / "seeds" / "limite_fisico.csv"
ENERGY, OTHER, COPIES = "energia_do_mes", "outro_numero", "copias_identicas"
WEST, EAST, SOUTH, NORTH = "oeste", "leste", "sul", "norte"

NO_DATE = "DAT_CON que não é data"
KEPT_AS_TEXT = frozenset({NO_DATE})
"""Reasons of which the value stays in raw, because every reader has null of it anyway."""

_MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()  # noqa: SIM905
_TIME = r"(?:[T :][\d:.,]*(?:Z|[-+]\d\d:?\d\d)?)?"
_DATES = tuple(
    re.compile(form + _TIME, re.IGNORECASE)
    for form in (
        r"(?P<d>\d{2})/(?P<m>\d{2})/(?P<y>\d{4})",
        r"(?P<y>\d{4})(?P<sep>[-/])(?P<m>\d{2})(?P=sep)(?P<d>\d{2})",
        rf"(?P<d>\d{{2}})(?P<m>{'|'.join(_MONTHS)})(?P<y>\d{{4}})",
    )
)
"""The forms that macros/limpeza.sql (``data_br``) reads."""


@cache
def read_limits(path: Path = LIMITS) -> dict[tuple[str, str], float]:
    """(rule, layer or "*") → limit, as the seed has it."""
    with path.open(encoding="utf-8", newline="") as file:
        return {(r["regra"], r["camada"]): float(r["limite"]) for r in csv.DictReader(file)}


def limit(rule: str, layer: Layer | None = None) -> float:
    """A rule's limit for a layer, else the one for all."""
    limits = read_limits()
    return limits.get((rule, layer.name if layer else "*"), limits.get((rule, "*"), 0.0))


def impossible_energy(months: list[pa.Array], layer: Layer) -> dict[str, pa.Array]:
    """Reason → rows with a month, drawn or given back, beyond what one unit can."""
    most = limit(ENERGY, layer)
    over = [pc.fill_null(pc.greater(pc.abs(month), most), False) for month in months]
    written = f"{most:,.0f}".replace(",", ".")
    return {f"energia de um mês acima de {written} kWh": reduce(pc.or_, over)}


def corrected(
    batch: pa.RecordBatch, layer: Layer, landing: date
) -> tuple[pa.RecordBatch, Counter[str]]:
    """The batch with what is impossible made null, and how often each that was.

    A date that is none (31/02) stays as text: readers have null of it, and the table of exceptions
    its text. One after the landing day can only be told on that day: it becomes null here.
    """
    notes: Counter[str] = Counter()
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    _correct_place(columns, notes)
    _correct_date(columns, notes, landing)
    most = limit(OTHER)
    for name, kind in layer.columns.items():
        if name not in columns or kind != NUMBER or name in layer.energy_columns:
            continue
        low_high = pc.min_max(columns[name])
        low, high = low_high["min"].as_py(), low_high["max"].as_py()
        # NaN is no minimum for Arrow: asked for by name, where it may be.
        if low is None or (low >= -most and high <= most and not _has_nan(columns[name])):
            continue
        bad = pc.invert(pc.less_equal(pc.abs(columns[name]), most))
        notes[f"{name.upper()} que não é um número possível"] += pc.sum(bad).as_py() or 0
        columns[name] = pc.if_else(bad, pa.scalar(None, pa.float64()), columns[name])
    return (pa.RecordBatch.from_pydict(columns) if notes else batch), notes


def _has_nan(numbers: pa.Array) -> bool:
    total = pc.sum(numbers).as_py()
    return total is not None and total != total  # noqa: PLR0124


def _correct_place(columns: dict[str, pa.Array], notes: Counter[str]) -> None:
    """A pair outside Brazil's box is no place, the filler (0, 0) and one alone included."""
    if "point_x" not in columns or "point_y" not in columns:
        return
    x, y = columns["point_x"], columns["point_y"]
    inside = pc.and_(
        pc.and_(pc.greater_equal(x, limit(WEST)), pc.less_equal(x, limit(EAST))),
        pc.and_(pc.greater_equal(y, limit(SOUTH)), pc.less_equal(y, limit(NORTH))),
    )
    given = pc.or_(pc.is_valid(x), pc.is_valid(y))
    out = pc.and_(given, pc.invert(pc.fill_null(inside, False)))
    if count := pc.sum(out).as_py():
        notes["coordenada fora do Brasil"] += count
        nothing = pa.scalar(None, pa.float64())
        columns["point_x"] = pc.if_else(out, nothing, x)
        columns["point_y"] = pc.if_else(out, nothing, y)


def _correct_date(columns: dict[str, pa.Array], notes: Counter[str], landing: date) -> None:
    if "dat_con" not in columns:
        return
    written = columns["dat_con"].dictionary_encode()
    days = [_day(value) for value in written.dictionary.to_pylist()]
    late = [day is not None and day > landing.toordinal() for day in days]
    none = [day is None for day in days]
    for reason, which in (("DAT_CON depois do dia da carga", late), (NO_DATE, none)):
        if any(which):
            rows = pc.fill_null(pa.array(which).take(written.indices), False)
            notes[reason] += pc.sum(rows).as_py() or 0
            if which is late:
                nothing = pa.scalar(None, pa.string())
                columns["dat_con"] = pc.if_else(rows, nothing, columns["dat_con"])


@lru_cache(2**16)
def _day(text: str) -> int | None:
    """A date's ordinal, 0 for a blank; None for what is none."""
    if not text.strip():
        return 0
    parts = next(filter(None, (form.fullmatch(text.strip()) for form in _DATES)), None)
    if parts is None:
        return None
    month = parts["m"].upper()
    number = _MONTHS.index(month) + 1 if month in _MONTHS else int(month)
    try:
        return date(int(parts["y"]), number, int(parts["d"])).toordinal()
    except ValueError:
        return None
