"""Schema marts as dbt says it: relations, columns, what they mean, metrics.

Belongs here: reading the manifest. Not here: datasets made of it (datasets.py).
A metric stands in its model's yml, under ``config: meta: metricas``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SCHEMA = "marts"


@dataclass(frozen=True)
class Column:
    """A column: PostgreSQL's type, and what it means."""

    type: str
    description: str


@dataclass(frozen=True)
class Metric:
    """A figure over rows: its name in charts, what people read, SQL, d3's format."""

    name: str
    title: str
    expression: str
    format: str


@dataclass(frozen=True)
class Mart:
    """A relation of schema marts."""

    name: str
    description: str
    columns: Mapping[str, Column]
    metrics: tuple[Metric, ...]


def read(manifest: Mapping[str, Any]) -> dict[str, Mart]:
    """The relations of marts, by name."""
    nodes = (n for n in manifest["nodes"].values() if n["resource_type"] == "model")
    found = (_mart(node) for node in nodes if node["schema"] == SCHEMA)
    return {mart.name: mart for mart in found}


def _mart(node: Mapping[str, Any]) -> Mart:
    columns = {
        name: Column(column.get("data_type") or "text", column["description"].strip())
        for name, column in node["columns"].items()
    }
    told = node["config"].get("meta", {}).get("metricas", [])
    metrics = tuple(Metric(m["nome"], m["titulo"], m["sql"], m.get("formato", "")) for m in told)
    return Mart(node["alias"], node["description"].strip(), columns, metrics)


# What may stand in an expression beside columns and functions.
_WORDS = """
all and any as asc between by case cast current_date day desc distinct else end false filter from
group hour ilike in interval is like month not null nulls numeric or order over partition then true
using when where within year
"""
_KEYWORDS = frozenset(_WORDS.split())


def columns_named(expression: str) -> set[str]:
    """Columns that an SQL expression names: words that are no text, type, function or keyword."""
    bare = re.sub(r"'[^']*'|::\s*\w+(?:\s*\(\d+(?:,\s*\d+)?\))?", " ", expression)
    words = re.findall(r'"([^"]+)"|\b([a-z_]\w*)\b(?!\s*\()', bare, re.IGNORECASE)
    return {quoted or word for quoted, word in words if quoted or word.lower() not in _KEYWORDS}
