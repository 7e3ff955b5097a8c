"""Golden files: rows and column sums, written, read, and held against a table of the warehouse.

Belongs here: canonical cells, sums by key, differences. Not here: what is right.
"""

import csv
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import shapely
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.types.datetime import TimestamptzLoader

from tests.golden.layers import shape
from tests.golden.tables import COLUMNS_LEFT_OUT, DOMAIN_KEY, KEYS, NOT_COMPARED, WHICH

Row = Mapping[str, Any]

EXACT = 1e-9
"""Relative: doubles that were added in another order differ in the last digits."""


def key_of(table: str) -> tuple[str, ...]:
    """The columns that name a row; of a domain table its id."""
    return KEYS.get(table, DOMAIN_KEY)


# ── Cells ─────────────────────────────────────────────────────────────────────────────────────────
def cell(value: object) -> str:
    """One spelling for both sides; nothing for null."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return "{" + ",".join(cell(v) or "NULL" for v in value) + "}"
    return str(value)


def same(expected: str, found: str) -> bool:
    """Equal as text, or as numbers but for the order of adding, or of the kind asked for."""
    if expected == found:
        return True
    if expected.startswith("{") and found.startswith("{"):
        a, b = expected[1:-1].split(","), found[1:-1].split(",")
        return len(a) == len(b) and all(map(same, a, b))
    try:
        return math.isclose(float(expected), float(found), rel_tol=EXACT, abs_tol=1e-9)
    except ValueError:
        return False


# ── Sums ──────────────────────────────────────────────────────────────────────────────────────────
def _weights(texts: list[str]) -> np.ndarray:
    """For each text a number in [0, 1) that it always has."""
    return pd.util.hash_array(np.array(texts, dtype=object)) / 2.0**64


def _keys(table: str, rows: Sequence[Row]) -> list[str]:
    columns = [[_rough(row[c]) for row in rows] for c in key_of(table)]
    return ["\x1f".join(parts) for parts in zip(*columns, strict=True)]


def summarize(table: str, rows: Sequence[Row]) -> list[dict[str, str]]:
    """A line per column: rows, nulls, and sums in which each value counts with its row's key.

    Numbers: least, greatest, sum, sum weighted by the key, so that a value on the wrong row shows.
    Anything else: a sum of hashes of key and value.
    """
    keys = _keys(table, rows)
    weights = _weights(keys) if keys else np.array([])
    lines = []
    for column in sorted({c for row in rows for c in row}):
        values = [row.get(column) for row in rows]
        there = np.array([v is not None and v == v for v in values])
        line = {"table": table, "column": column, "rows": str(len(rows))}
        line["nulls"] = str(int((~there).sum()))
        lines.append(line | _measures(values, there, weights, keys))
    return lines


def _measures(
    values: list[Any], there: np.ndarray, weights: np.ndarray, keys: list[str]
) -> dict[str, str]:
    kept = list(itertools.compress(values, there))
    if not kept:
        return {}
    if isinstance(kept[0], str) and kept[0].startswith("~"):
        return {"kind": ",".join(sorted(set(kept)))}
    if set(map(type, kept)) <= {int, float}:
        numbers = np.array(kept, dtype=float)
        return {
            "least": cell(float(numbers.min())),
            "greatest": cell(float(numbers.max())),
            "sum": cell(math.fsum(numbers)),
            "weighted": cell(math.fsum(numbers * weights[there])),
        }
    named = zip(itertools.compress(keys, there), kept, strict=True)
    hashes = _weights([f"{key}\x1f{_rough(value)}" for key, value in named])
    return {"hashed": cell(round(math.fsum(hashes), 6))}


_ODD = 1.0123456789


def _rough(value: object) -> str:
    """Text of a value for a hash; numbers in arrays to ten digits.

    Times an odd factor: a sum of decimals is often a half, which the order of adding tips over.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join("" if v is None else f"{v * _ODD:.10g}" for v in value)
    return cell(value)


MEASURES = ["rows", "nulls", "kind", "least", "greatest", "sum", "weighted", "hashed"]
SUMMARY = ["table", "column", *MEASURES]


def differences_of_sums(expected: list[dict[str, str]], found: list[dict[str, str]]) -> list[str]:
    """What differs, one line per column."""
    by_column = {(line["table"], line["column"]): line for line in found}
    said = []
    for line in expected:
        name = f"{line['table']}.{line['column']}"
        other = by_column.pop((line["table"], line["column"]), None)
        if other is None:
            said.append(f"{name}: not in the warehouse")
            continue
        # A sum of values that cancel out keeps the rounding of the greatest.
        size = max(abs(float(line.get(c) or 0)) for c in ("least", "greatest"))
        slack = EXACT * size * int(line["rows"])
        for measure in MEASURES:
            a, b = line.get(measure) or "", other.get(measure) or ""
            if not (same(a, b) or (measure in ("sum", "weighted") and _near(a, b, slack))):
                said.append(f"{name}: {measure} should be {a or 'nothing'}, is {b or 'nothing'}")
    said += [f"{t}.{c}: no golden value; teach tests/golden/ the column" for t, c in by_column]
    return said


def _near(a: str, b: str, slack: float) -> bool:
    return bool(a and b) and abs(float(a) - float(b)) <= slack


def differences_of_rows(
    table: str, expected: Iterable[Row], found: Iterable[Row], *, limit: int = 5
) -> list[str]:
    """Golden rows that the table has not, or has otherwise: one line per cell."""
    key = key_of(table)
    by_key = {tuple(cell(row[c]) for c in key): row for row in found}
    said: dict[str, list[str]] = {}
    for row in expected:
        name = tuple(row[c] for c in key)
        other = by_key.get(name)
        if other is None:
            said.setdefault("", []).append(f"{table} {' '.join(name)}: no such row")
            continue
        for column, right in row.items():
            if not same(right, cell(other.get(column))):
                is_ = cell(other.get(column)) or "null"
                text = (
                    f"{table}.{column} of {' '.join(name)}: should be {right or 'null'}, is {is_}"
                )
                said.setdefault(column, []).append(text)
    return [
        line
        for lines in said.values()
        for line in [*lines[:limit], *([f"… and {len(lines) - limit} more"] * (len(lines) > limit))]
    ]


# ── Files ─────────────────────────────────────────────────────────────────────────────────────────
def write(path: Path, columns: list[str], rows: Iterable[Row]) -> None:
    """A CSV; an empty cell is null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([cell(row.get(c)) for c in columns] for row in rows)


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ── The warehouse ─────────────────────────────────────────────────────────────────────────────────
def relations(conn: psycopg.Connection) -> list[str]:
    """Tables and views of intel_lead, and marts' with their schema; no partitions, no ledger."""
    found = conn.execute(
        "select relname, relnamespace::regnamespace::text from pg_class"
        " where relnamespace::regnamespace::text in ('intel_lead', 'marts')"
        " and relkind in ('r', 'p', 'v', 'm') and not relispartition"
    )
    names = [name if schema == "intel_lead" else f"{schema}.{name}" for name, schema in found]
    return [name for name in names if name not in NOT_COMPARED]


def fetch(
    conn: psycopg.Connection, table: str, years: list[int], *, unpublished: bool = False
) -> list[dict]:
    """A relation's rows of some years, in the spelling of the golden files.

    Of a safra's table that was built and not published: what stands in construcao.

    Numbers that a sequence gave stand as what they mean: import_id as its layer, leitura_id as
    device and instant; what says when something ran stands as its kind.
    """
    with conn.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        cursor.adapters.register_loader("timestamptz", _Instant)
        schema, _, name = table.rpartition(".")
        schema = "construcao" if unpublished else schema or "intel_lead"
        query = sql.SQL("select * from {}").format(sql.Identifier(schema, name))
        cursor.execute(query)
        columns = {c.name for c in cursor.description}
        own = WHICH.get(table, "ano = any(%(years)s)" if "ano" in columns else "true")
        cursor.execute(query + sql.SQL(f" where {own}"), {"years": years})
        rows = cursor.fetchall()
    layers = dict(conn.execute("select import_id, camada::text from intel_lead.import_status"))
    instants = {}
    if "leitura_id" in columns or "ultima_leitura_id" in columns:
        readings = conn.execute(
            "select leitura_id, dispositivo_id, medido_em from raw.aicss_leitura"
        )
        instants = {n: f"{d} {cell(t)}" for n, d, t in readings}
    kept = columns - COLUMNS_LEFT_OUT.get(table, set())
    spelled = {c: _spelling(table, c, layers, instants) for c in kept}
    return [
        {c: None if row[c] is None else spell(row[c]) for c, spell in spelled.items()}
        for row in rows
    ]


class _Instant(TimestamptzLoader):
    """An instant, or the words for always and for ever."""

    def load(self, data: Buffer) -> datetime | str:
        said = bytes(data).decode()
        return said if said.endswith("infinity") else super().load(data)


_WHEN = {
    "created_at", "updated_at", "data_enriquecimento", "publicada_em", "data_inicio", "data_fim",
    "duracao", "lido_em", "recebido_em", "parametros_md5", "importada_em",
}  # fmt: skip
_PLAIN = {str, int, float, bool, list, date, datetime}


def _spelling(
    table: str, column: str, layers: dict[int, str], instants: dict[int, str]
) -> Callable[[Any], Any]:
    """What turns the column's values into the golden files' spelling."""
    numbered = (table, column) in {("lead_enrichment_log", "id"), ("safra_publicada", "import_id")}
    if column in _WHEN or numbered:
        return lambda value: f"~{type(value).__name__}"
    if column == "import_id":
        return lambda value: layers.get(value, f"no import {value}")
    if column in ("leitura_id", "ultima_leitura_id"):
        return lambda value: instants.get(value, f"no reading {value}")
    if column in ("geom", "geom_simples"):
        return _place
    if table.endswith("lead_empresa") and column == "evidencia":
        return lambda pieces: "; ".join(
            f"{p['evidencia']} {p['pontos']:g} {p['texto']}" for p in pieces
        )
    return lambda value: value if type(value) in _PLAIN else str(value)


def _place(ewkb: str) -> str:
    geometry = shapely.from_wkb(ewkb)
    if geometry.geom_type == "Point":
        return f"{shapely.get_srid(geometry)} {geometry.x!r} {geometry.y!r}"
    said = shape(geometry)
    return said.replace("4674", str(shapely.get_srid(geometry)), 1)
