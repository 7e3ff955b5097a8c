"""Where each column comes from, told by the SQL as dbt compiled it.

Belongs here: columns and the columns that they are made of; how they are kept between commands. Not
here: who shows them (docs_site.py, defs/dbt.py).
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_pipeline import manifest

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.schema import MappingSchema

Column = tuple[str, str]
"""Unique id of a model, seed or source, and a column of it."""
Lineage = dict[str, dict[str, list[Column]]]
"""Unique id → column → what it is computed of; nothing for a count or a constant."""

DIALECT = "postgres"


def of(nodes: Mapping[str, Any], catalog: Mapping[str, Any]) -> tuple[Lineage, dict[str, str]]:
    """Each table's and view's columns, through the ephemeral models to what PostgreSQL holds.

    Args:
        nodes: dbt's manifest, compiled.
        catalog: dbt's catalogue of the same database: the columns of what is read.

    Returns:
        The lineage; name → why of the models whose SQL cannot be read, of which it knows nothing.
    """
    import sqlglot
    from sqlglot.schema import MappingSchema

    schema, ids = MappingSchema(dialect=DIALECT), {}
    for found in ("nodes", "sources"):
        for unique_id, relation in catalog[found].items():
            name = nodes[found][unique_id]["relation_name"]
            ids[name.replace('"', "").lower()] = unique_id
            columns = {key: column["type"] for key, column in relation["columns"].items()}
            schema.add_table(sqlglot.to_table(name, dialect=DIALECT), columns, dialect=DIALECT)
    told: Lineage = {}
    unread = {}
    for unique_id, node in nodes["nodes"].items():
        if node["resource_type"] == "model" and node["config"]["materialized"] != "ephemeral":
            try:
                told[unique_id] = _of_model(
                    node["compiled_code"], list(node["columns"]), schema, ids
                )
            except sqlglot.errors.SqlglotError as error:
                unread[node["name"]] = " ".join(str(error).split())
    return told, unread


def _of_model(
    code: str,
    columns: list[str],
    schema: "MappingSchema",
    ids: Mapping[str, str],
) -> dict[str, list[Column]]:
    import sqlglot
    from sqlglot import exp
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    tree = qualify(
        sqlglot.parse_one(code, dialect=DIALECT),
        schema=schema,
        dialect=DIALECT,
        validate_qualify_columns=False,
    )
    scope = build_scope(tree)
    found = {}
    for column in columns:
        node = lineage(
            column, tree, schema, scope=scope, dialect=DIALECT, copy=False, trim_selects=False
        )
        ends = [
            end for end in node.walk() if not end.downstream and isinstance(end.source, exp.Table)
        ]
        made_of = {
            (ids[name], _column(end.name)) for end in ends if (name := _relation(end.source)) in ids
        }
        found[column] = sorted(made_of)
    return found


def _relation(table: "exp.Table") -> str:
    """``database.schema.table``; of a CTE or a function less, which names nothing of dbt's."""
    return f"{table.catalog}.{table.db}.{table.name}".lower()


def _column(name: str) -> str:
    """``t.x`` or ``"t"."x"`` → ``x``."""
    return name.rpartition(".")[2].strip('"')


def _file() -> Path:
    return manifest.target() / "columns.json"


def keep(lineage: Lineage, source: str) -> None:
    """For the commands that show it; ``source``: `manifest.fingerprint` of what it is told of."""
    _file().parent.mkdir(parents=True, exist_ok=True)
    _file().write_text(json.dumps({"source": source, "columns": lineage}))


def kept() -> tuple[Lineage, str]:
    """As it was last told, and of what; nothing before the first time (make docs)."""
    with suppress(FileNotFoundError):
        found = json.loads(_file().read_text())
        return found["columns"], found["source"]
    return {}, ""


def add_origins(nodes: Mapping[str, Any], told: Lineage) -> None:
    """After each column's description, what it is computed of."""
    names = dict(_names(nodes))
    for unique_id, columns in told.items():
        described = nodes["nodes"].get(unique_id, {}).get("columns", {})
        for column, made_of in columns.items():
            if made_of and column in described:
                said = in_words(made_of, names)
                described[column]["description"] += f"\n\nVem de: {said}."


def in_words(made_of: list[Column], names: Mapping[str, str], most: int = 6) -> str:
    """``raw.ucbt.ene_01, raw.ucbt.ene_02 e outras 10``."""
    said = [f"{names[unique_id]}.{column}" for unique_id, column in made_of if unique_id in names]
    rest = len(said) - most
    shown = ", ".join(said[:most])
    return f"{shown} e outras {rest}" if rest > 0 else shown


def _names(nodes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Unique id and ``schema.table`` of all that may be read."""
    for unique_id, node in {**nodes["nodes"], **nodes["sources"]}.items():
        if node.get("relation_name"):
            yield unique_id, f"{node['schema']}.{node.get('alias') or node['identifier']}"
