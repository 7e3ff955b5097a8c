"""The units of a landed content, and what PostgreSQL counts of them: no row leaves the database.

Belongs here: contents and the figures of the .sql files beside. Not here: what of a figure is a
finding (comparison.py, inspection.py), which contents a safra has (references.py).
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from loaders.bdgd.layers import UC_LAYERS, Layer
from loaders.gate.evidence import limits

SAMPLE = 60_000
"""Units compared at least, of a content that has more: half of that tells no less."""
TOTAL = "TOTAL"
"""All layers together."""
MONTHS = [f"{month:02d}" for month in range(1, 13)]

Figures = Mapping[str, Any]
"""A row of figures by name."""


@dataclass(frozen=True)
class Content:
    """What landed of one safra at one time.

    Attributes:
        leaves: layer name → the table that holds its rows, attached or not.
        absent: layers that the file does not have at all.
        lacking: those of them that a person said this copy lacks.
    """

    leaves: Mapping[str, sql.Identifier]
    absent: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()

    def without(self, layers: Collection[str]) -> "Content":
        """What is left of it."""
        return replace(self, leaves={k: v for k, v in self.leaves.items() if k not in layers})


def _statement(name: str, **parts: sql.Composable) -> sql.Composed:
    text = resources.files("loaders.gate").joinpath(f"{name}.sql").read_text(encoding="utf-8")
    return sql.SQL(text).format(**parts)


def _each_month(template: str, join: str = ", ") -> sql.SQL:
    return sql.SQL(join.join(template.format(m=month) for month in MONTHS))


def _energy(layer: Layer, month: str) -> str:
    return " + ".join(f"coalesce({prefix}_{month}, 0)" for prefix in layer.energy)


def _rows(layer: Layer, content: Content, mask: int) -> sql.Composed:
    """A layer's rows as units.sql wants them."""
    unit = "case when btrim(cod_id) <> '' then hashtextextended(btrim(cod_id), 0) else linha end"
    months = ", ".join(f"{_energy(layer, m)} as m{m}" for m in MONTHS)
    feeder = "ctat" if "ctat" in layer.columns else "ctmt"
    points = content.leaves.get("PONNOT")
    found = sql.SQL("pn_con in (select cod_id from {} where cod_id is not null)")
    return sql.SQL(
        f"select {unit} as unit, coalesce(btrim(cod_id) <> '', false) as coded,"
        f" '{layer.name}' as layer, btrim({feeder}) as feeder, conj::text as conj,"
        f" btrim(mun) as mun, {{placed}} as placed, {months}"
        f" from {{leaf}} where {unit} & {mask} = 0"
    ).format(
        leaf=content.leaves[layer.name],
        placed=found.format(points) if points else sql.SQL("false"),
    )


def mask_of(conn: psycopg.Connection, content: Content) -> int:
    """The sample that a content of this size asks for, by the planner's own count of rows."""
    names = [leaf.as_string(conn) for leaf in content.leaves.values()]
    (rows,) = conn.execute(
        "select coalesce(sum(greatest(reltuples, 0)), 0) from pg_class"
        " where oid = any(%s::regclass[]::oid[])",
        [names],
    ).fetchone()
    return 2 ** max(0, math.floor(math.log2(max(rows, 1) / SAMPLE))) - 1


def take_units(conn: psycopg.Connection, table: str, content: Content, mask: int) -> None:
    """Fill a temporary table with the units of a content, until the transaction ends."""
    present = [c for c in UC_LAYERS if c.name in content.leaves]
    conn.execute(sql.SQL("drop table if exists {}").format(sql.Identifier("pg_temp", table)))
    conn.execute(
        _statement(
            "units",
            table=sql.Identifier(table),
            mask=sql.Literal(mask),
            sums=_each_month("sum(m{m}) as m{m}"),
            year=_each_month("sum(m{m})", " + "),
            active=_each_month("(sum(m{m}) > 0)::integer", " + "),
            layers=sql.SQL(" union all ").join(_rows(c, content, mask) for c in present),
        )
    )
    conn.execute(sql.SQL("analyze {} (unit)").format(sql.Identifier("pg_temp", table)))


def _fetch(conn: psycopg.Connection, statement: sql.Composed) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement).fetchall()


def _by_layer(rows: Sequence[Figures]) -> dict[str, Figures]:
    """Layer → its row; TOTAL for the row over all."""
    return {row["layer"] or TOTAL: row for row in rows}


def content_figures(conn: psycopg.Connection, table: str) -> dict[str, Figures]:
    """One content by itself: content.sql, by layer and TOTAL."""
    zero = _each_month("count(*) filter (where kwh > 0 and m{m} = 0) as zero_{m}")
    names = {"table": sql.Identifier("pg_temp", table), "zero": zero}
    return _by_layer(_fetch(conn, _statement("content", **names)))


def pair_figures(conn: psycopg.Connection, now: str, before: str) -> dict[str, Figures]:
    """What became of the units of ``before``: pair.sql, by layer and TOTAL."""
    lowest, highest = limits()["razao_mediana"]
    return _by_layer(
        _fetch(
            conn,
            _statement(
                "pair",
                now=sql.Identifier("pg_temp", now),
                before=sql.Identifier("pg_temp", before),
                lowest=sql.Literal(lowest),
                highest=sql.Literal(highest),
                months=_each_month("n.m{m} as now_{m}, r.m{m} as before_{m}"),
                empty=_each_month(
                    "count(*) filter (where comparable and before_{m} > 0) as alive_{m},"
                    " count(*) filter (where comparable and before_{m} > 0"
                    " and now_{m} <= 0.1 * before_{m}) as empty_{m}"
                ),
            ),
        )
    )


def group_figures(conn: psycopg.Connection, now: str, before: str) -> list[Figures]:
    """What is left of each group of ``before``: groups.sql."""
    names = {
        "now": sql.Identifier("pg_temp", now),
        "before": sql.Identifier("pg_temp", before),
    }
    return _fetch(conn, _statement("groups", **names))


def twin_figures(conn: psycopg.Connection, layer: Layer, content: Content) -> tuple[int, int]:
    """Rows of a layer that can be told apart, and how many have a twin: twins.sql."""
    active = " + ".join(f"(({_energy(layer, m)}) > 0)::integer" for m in MONTHS)
    statement = _statement(
        "twins",
        energy=sql.SQL(", ".join(f"({_energy(layer, m)})" for m in MONTHS)),
        leaf=content.leaves[layer.name],
        active=sql.SQL(f"({active})"),
        mask=sql.Literal(mask_of(conn, content)),
    )
    return conn.execute(statement).fetchone()


def layers_of(figures: Mapping[str, Figures]) -> list[str]:
    """The layers that figures are of."""
    return [layer for layer in figures if layer != TOTAL]
