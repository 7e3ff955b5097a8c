"""Golden files: rows and column sums, written, read, and held against a table of the warehouse.

Belongs here: keys of tables, canonical cells, sums by key, differences. Not here: what is right.
"""

import csv
import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from struct import unpack
from typing import Any

import psycopg
from psycopg import sql

Row = Mapping[str, Any]

_LEAD, _MONTH = ("uc_id",), ("uc_id", "mes")
KEYS: dict[str, tuple[str, ...]] = {
    "lead_bruto": _LEAD,
    "lead_historico": ("uc_id", "linha"),
    "lead_serie": _LEAD,
    "lead_energia_mensal": _MONTH,
    "lead_demanda_mensal": _MONTH,
    "lead_qualidade_mensal": _MONTH,
    "lead_enrichment_log": ("uc_id", "etapa"),
    "lead_resumo_anual": _LEAD,
    "lead_com_coordenadas": _LEAD,
    "vw_lead_com_cnae_desc": _LEAD,
    "vw_lead_completo_detalhado": _LEAD,
    "vw_lead_status_enriquecimento": _LEAD,
    "ponto_notavel": ("ano", "distribuidora_id", "cod_id"),
    "conjunto": ("ano", "distribuidora_id", "conjunto_id"),
    "qualidade_excecao": ("ano", "distribuidora_id", "camada", "coluna", "valor"),
    "carga_resumo": ("ano", "distribuidora_id", "origem", "mes"),
    "safra_resumo": ("ano", "distribuidora_id", "municipio_id", "origem"),
    "safra_publicada": ("ano", "distribuidora_id"),
    "resumo_energia_por_municipio": ("ano", "municipio_id"),
    "resumo_leads_distribuidora": ("ano", "distribuidora_id"),
    "resumo_leads_ano_camada": ("ano", "camada"),
    "vw_import_status_resumido": ("ano", "distribuidora_id", "camada"),
    "leitura_sensor": ("leitura_id",),
    "leitura_estado": ("leitura_id",),
    "consumo_dispositivo_hora": ("dispositivo_id", "hora"),
}
DOMAIN_KEY = ("id",)
NOT_COMPARED = {
    # The ledger itself; its last rows are vw_import_status_resumido.
    "import_status": None,
    # What the loader says to a person: its wording is the loaders' tests' business.
    "vw_import_status_resumido": {"mensagem"},
}
MARTS = {"consumo_dispositivo_hora"}
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
        return value.astimezone(UTC).isoformat()
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
def weight(*parts: str) -> float:
    """A number in [0, 1) that a key always has: a value on the wrong row changes a weighted sum."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 2**32


def summarize(table: str, rows: Iterable[Row]) -> list[dict[str, str]]:
    """A line per column: rows, nulls, and sums in which each value counts with its row's key.

    Numbers: least, greatest, sum, weighted sum. Anything else: a sum of hashes of key and value.
    """
    rows = list(rows)
    keys = [[cell(row[c]) for c in key_of(table)] for row in rows]
    weights = [weight(*key) for key in keys]
    lines = []
    for column in sorted({c for row in rows for c in row}):
        values = [row.get(column) for row in rows]
        kinds = {v for v in values if isinstance(v, str) and v.startswith("~")}
        there = [(v, w, k) for v, w, k in zip(values, weights, keys, strict=True) if cell(v)]
        line = {"table": table, "column": column, "rows": str(len(rows))}
        line["nulls"] = str(len(rows) - len(there))
        if kinds:
            line["kind"] = kinds.pop()
        elif there and all(type(v) in (int, float) for v, _, _ in there):
            numbers = [float(v) for v, _, _ in there]
            line |= {
                "least": cell(min(numbers)),
                "greatest": cell(max(numbers)),
                "sum": cell(math.fsum(numbers)),
                "weighted": cell(math.fsum(float(v) * w for v, w, _ in there)),
            }
        elif there:
            line["hashed"] = cell(round(math.fsum(weight(*k, _rough(v)) for v, _, k in there), 6))
        lines.append(line)
    return lines


def _rough(value: object) -> str:
    """Text of a value for a hash; numbers in arrays to ten digits."""
    if isinstance(value, list):
        return ",".join("" if v is None else f"{v:.10g}" for v in value)
    return cell(value)


SUMMARY = "table column rows nulls kind least greatest sum weighted hashed".split()


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
        for measure in SUMMARY[2:]:
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
                text = f"{table}.{column} of {' '.join(name)}: should be {right or 'null'}, is {is_}"
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
def relations(conn: psycopg.Connection) -> dict[str, str]:
    """Table or view of intel_lead and marts → its schema; partitions and the ledger left out."""
    found = conn.execute(
        "select relname, relnamespace::regnamespace::text from pg_class"
        " where relnamespace::regnamespace::text in ('intel_lead', 'marts')"
        " and relkind in ('r', 'p', 'v', 'm') and not relispartition"
    )
    return {name: schema for name, schema in found if NOT_COMPARED.get(name, ()) is not None}


def fetch(conn: psycopg.Connection, schema: str, table: str, years: list[int]) -> list[dict]:
    """A relation's rows of some years, in the spelling of the golden files.

    Numbers that a sequence gave stand as what they mean: import_id as its layer, leitura_id as
    device and instant; what says when something ran stands as its kind.
    """
    with conn.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        query = sql.SQL("select * from {}").format(sql.Identifier(schema, table))
        cursor.execute(query)
        columns = {c.name for c in cursor.description}
        if "ano" in columns:
            cursor.execute(query + sql.SQL(" where ano = any(%s)"), [years])
        rows = cursor.fetchall()
    layers = dict(conn.execute("select import_id, camada::text from intel_lead.import_status"))
    instants = {}
    if "leitura_id" in columns or "ultima_leitura_id" in columns:
        readings = conn.execute("select leitura_id, dispositivo_id, medido_em from raw.aicss_leitura")
        instants = {n: f"{d} {cell(t)}" for n, d, t in readings}
    left_out = NOT_COMPARED.get(table) or set()
    return [
        {c: _spelled(table, c, v, layers, instants) for c, v in row.items() if c not in left_out}
        for row in rows
        if not (table == "vw_import_status_resumido" and row["camada"] == "CONJ")
    ]


_WHEN = {
    "created_at", "updated_at", "data_enriquecimento", "publicada_em", "data_inicio", "data_fim",
    "duracao", "recebido_em", "parametros_md5",
}  # fmt: skip


def _spelled(table: str, column: str, value: Any, layers: dict, instants: dict) -> Any:  # noqa: ANN401
    if value is None:
        return None
    numbered = (table, column) in {("lead_enrichment_log", "id"), ("safra_publicada", "import_id")}
    if column in _WHEN or numbered:
        return f"~{type(value).__name__}"
    if column == "import_id":
        return layers.get(value, f"no import {value}")
    if column in ("leitura_id", "ultima_leitura_id"):
        return instants.get(value, f"no reading {value}")
    if column == "geom":
        _, kind, srid, x, y = unpack("<BIIdd", bytes.fromhex(value))
        return f"{srid} {x!r} {y!r}" if kind == 0x20000001 else f"kind {kind:x}"
    if type(value).__name__ == "UUID":
        return str(value)
    return value
