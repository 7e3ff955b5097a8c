"""The raw tables: partitioned roots, a leaf per layer and safra, the swap that publishes leaves.

Belongs here: DDL made from layers.py. Not here: rows (transfer.py) and bookkeeping (ledger.py).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import psycopg
from psycopg import sql
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random

from loaders.bdgd.layers import (
    ALL_LAYERS,
    COMPLEMENTS,
    GEOMETRY,
    NUMBERS,
    PERSONAL_COLUMNS,
    RAW_TABLES,
    Layer,
)
from loaders.safra import Safra
from loaders.search_path import postgis_schema

_FIXED = {
    "ano": "smallint",
    "distribuidora_id": "integer",
    "import_id": "bigint",
    "linha": "bigint",
}
_ALIGNMENT = ("bigint", "double precision", "integer", "smallint", "text", NUMBERS)
_ALIGNMENT += (GEOMETRY,)
_SWAP_PATIENCE_S = 300
_LOCK_WAIT = "1s"
"""A waiting ACCESS EXCLUSIVE lock stalls every later reader: give up early, try again."""
ASIDE = "__aceita"
"""Ends the name of a leaf that was set aside."""


@dataclass(frozen=True)
class Leaf:
    """A leaf being landed: it stands alone under a name of its own until the swap."""

    layer: Layer
    safra: Safra
    import_id: int

    @property
    def name(self) -> str:
        """The name that dbt reads."""
        return f"{self.layer.table}_{self.safra.distribuidora_id}_{self.safra.ano}"

    @property
    def new(self) -> sql.Identifier:
        """The qualified name until the swap."""
        return sql.Identifier("raw_safra", f"{self.name}__{self.import_id}")

    @property
    def published(self) -> sql.Identifier:
        """The qualified name after the swap."""
        return sql.Identifier("raw_safra", self.name)

    @property
    def aside(self) -> sql.Identifier:
        """Where an accepted content waits until the gate has judged what replaced it."""
        return sql.Identifier("raw_safra", f"{self.name}{ASIDE}")


def _type_of(conn: psycopg.Connection, dtype: str) -> sql.Composable:
    """A type as DDL; PostGIS's by its schema, wherever that is."""
    if dtype != GEOMETRY:
        return sql.SQL(dtype)
    return sql.SQL("{}.").format(sql.Identifier(postgis_schema(conn))) + sql.SQL(dtype)


def _columns(conn: psycopg.Connection, layer: Layer, defaults: dict[str, int]) -> sql.Composable:
    """Column definitions, widest alignment first: in the layer's order, padding took 19 B a row.

    As text: names are layers.py's, and composed one by one they took a seventh of a small landing.
    """
    dtypes = sorted((_FIXED | layer.columns).items(), key=lambda pair: _ALIGNMENT.index(pair[1]))
    types = {dtype: _type_of(conn, dtype).as_string(conn) for dtype in dict(dtypes).values()}
    return sql.SQL(
        ", ".join(
            f'"{name}" {types[dtype]}'
            + (" not null" if name in _FIXED else "")
            + (f" default {defaults[name]}" if name in defaults else "")
            for name, dtype in dtypes
        )
    )


def create_roots(conn: psycopg.Connection) -> None:
    """Create the roots and columns that are missing, and name every layer in ``camada_enum``."""
    for layer in RAW_TABLES:
        root = sql.Identifier("raw", layer.table)
        conn.execute(
            sql.SQL(
                "create table if not exists {} ({}) partition by range (ano, distribuidora_id)"
            ).format(root, _columns(conn, layer, {}))
        )
        for name in _missing_columns(conn, layer):
            conn.execute(
                sql.SQL("alter table {} add column {} {}").format(
                    root, sql.Identifier(name), _type_of(conn, layer.columns[name])
                )
            )
        for table in _partitions(conn, layer):
            grant_reading(conn, layer, table)
    for name in (c.name for c in (*ALL_LAYERS, *COMPLEMENTS.values())):
        conn.execute(
            sql.SQL("alter type intel_lead.camada_enum add value if not exists {}").format(
                sql.Literal(name)
            )
        )


def _missing_columns(conn: psycopg.Connection, layer: Layer) -> list[str]:
    has = conn.execute(
        "select attname from pg_attribute where attrelid = %s::regclass", [f"raw.{layer.table}"]
    ).fetchall()
    return [name for name in layer.columns if (name,) not in has]


def _partitions(conn: psycopg.Connection, layer: Layer) -> list[sql.Identifier]:
    """The root and its leaves."""
    all_of_them = conn.execute(
        "select relnamespace::regnamespace::text, relname from pg_class"
        " where oid in (select relid from pg_partition_tree(%s))",
        [f"raw.{layer.table}"],
    )
    return [sql.Identifier(*name) for name in all_of_them]


def complete_safras(conn: psycopg.Connection) -> None:
    """Give each landed safra an empty leaf of every layer that the code has learnt since."""
    imported = conn.execute(
        "select distribuidora_id || '-' || ano, import_id from controle.safra_importada order by 1"
    ).fetchall()
    for key, import_id in imported:
        leaves = [Leaf(layer, Safra.from_key(key), import_id) for layer in RAW_TABLES]
        existing = existing_leaves(conn, [leaf.name for leaf in leaves])
        for leaf in (f for f in leaves if f.name not in existing):
            create_leaf(conn, leaf)
            swap(conn, [leaf])


def create_leaf(conn: psycopg.Connection, leaf: Leaf) -> None:
    """Create an empty leaf, without touching its root.

    The columns come from layers.py, not from LIKE: that would hold a lock on the root while the
    layer streams in, and make every other safra's swap wait. The CHECK lets ATTACH skip its scan.
    """
    ano, dist = leaf.safra.ano, leaf.safra.distribuidora_id
    defaults = {"ano": ano, "distribuidora_id": dist, "import_id": leaf.import_id}
    conn.execute(
        sql.SQL(
            "create table {} ({}, constraint limites check"
            " (ano = {ano} and distribuidora_id >= {de} and distribuidora_id < {ate}))"
            " with (autovacuum_enabled = false)"  # written once, frozen and analysed
        ).format(leaf.new, _columns(conn, leaf.layer, defaults), ano=ano, de=dist, ate=dist + 1)
    )
    grant_reading(conn, leaf.layer, leaf.new)


def grant_reading(conn: psycopg.Connection, layer: Layer, table: sql.Identifier) -> None:
    """Let dbt's role, where server/roles.py made it, read every column but the PESSOAIS."""
    if conn.execute("select to_regrole('intel_dbt') is null").fetchone()[0]:
        return
    columns = [sql.Identifier(c) for c in (*_FIXED, *layer.columns) if c not in PERSONAL_COLUMNS]
    command = sql.SQL("grant select ({}) on {} to intel_dbt")
    conn.execute(command.format(sql.SQL(", ").join(columns), table))


def existing_leaves(conn: psycopg.Connection, names: Iterable[str]) -> set[str]:
    """Which of these leaves are there."""
    rows = conn.execute(
        "select relname from pg_class"
        " where relnamespace = 'raw_safra'::regnamespace and relname = any(%s)",
        [list(names)],
    )
    return {name for (name,) in rows}


def swap(conn: psycopg.Connection, leaves: list[Leaf], *, keep: Collection[str] = ()) -> None:
    """Put new leaves in the place of the old ones, inside the caller's transaction.

    Args:
        conn: connection.
        leaves: the new leaves.
        keep: names of old leaves to set aside instead of dropping them.

    Raises:
        psycopg.errors.LockNotAvailable: a reader kept an old leaf busy for five minutes.
    """
    attempts = Retrying(
        retry=retry_if_exception_type(
            (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
        ),
        wait=wait_random(0.2, 1.0),
        stop=stop_after_delay(_SWAP_PATIENCE_S),
        reraise=True,
    )
    for attempt in attempts:
        with attempt, conn.transaction():
            conn.execute(sql.SQL("set local lock_timeout = {}").format(_LOCK_WAIT))
            for leaf in leaves:
                _swap_leaf(conn, leaf, keep=leaf.name in keep)


def _swap_leaf(conn: psycopg.Connection, leaf: Leaf, *, keep: bool) -> None:
    ano, dist = leaf.safra.ano, leaf.safra.distribuidora_id
    root, name = sql.Identifier("raw", leaf.layer.table), sql.Identifier(leaf.name + ASIDE)
    if keep:
        detach = sql.SQL("alter table {} detach partition {}")
        conn.execute(detach.format(root, leaf.published))
        conn.execute(sql.SQL("alter table {} rename to {}").format(leaf.published, name))
    else:
        conn.execute(sql.SQL("drop table if exists {}").format(leaf.published))
    conn.execute(sql.SQL("alter table {} rename to {}").format(leaf.new, sql.Identifier(leaf.name)))
    conn.execute(
        sql.SQL("alter table {} attach partition {} for values from ({}, {}) to ({}, {})").format(
            root, leaf.published, ano, dist, ano, dist + 1
        )
    )
