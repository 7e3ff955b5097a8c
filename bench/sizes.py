"""Bytes per UC of every table, what column order wastes, and what the whole country would take.

Belongs here: these figures. Not here: times.
"""

from dataclasses import dataclass

import psycopg

from bench.measure import Figure
from bench.warehouse import ANO, DISTRIBUIDORA, Bench

NAME = "sizes"
COUNTRY, VINTAGES = 90_000_000, 5
ABOUT = f"""\
`pg_total_relation_size` of each leaf of one safra, shared among its UCs (leads). Padding: mean
size of 20,000 stored rows less that of the same rows with columns in the best order (fixed
width, widest alignment first, then text). Nationwide: {COUNTRY / 1e6:.0f} million UCs ×
{VINTAGES} years at these bytes; raw may be dropped once a safra is published and its file
archived, at the price of landing it again for a rebuild."""
SUFFIX = f"_{DISTRIBUIDORA}_{ANO}"


@dataclass(frozen=True)
class Size:
    """Bytes per UC of one table, and padding bytes per row."""

    table: str
    rows: float
    heap: float
    index: float
    toast: float
    padding: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.heap + self.index + self.toast


def minutes(bench: Bench, ucs: int) -> float:
    """How long this takes, about, a warehouse included."""
    return ucs * 5 / 1e6


def measure(bench: Bench, ucs: int) -> list[Figure]:
    """One figure per table, and the sum."""
    with bench.connect(bench.built(ucs)) as conn:
        sizes = _sizes(conn)
    lines = [*sizes, _sum("published", sizes, "safra."), _sum("raw", sizes, "raw_safra.")]
    return [
        Figure(
            group=NAME,
            ucs=ucs,
            what=size.table,
            ours=f"{size.heap:,.0f} + {size.index:,.0f} + {size.toast:,.0f} B/UC",
            other=f"{size.rows:.2f} rows/UC, {size.padding:.1f} B/row padding",
            value=size.total,
            unit=" B/UC",
        )
        for size in lines
    ]


def _sum(name: str, sizes: list[Size], schema: str) -> Size:
    found = [x for x in sizes if x.table.startswith(schema)]
    parts = ([getattr(x, part) for x in found] for part in ("heap", "index", "toast"))
    return Size(f"all {name}", 0, *map(sum, parts), 0)


def _sizes(conn: psycopg.Connection) -> list[Size]:
    (ucs,) = conn.execute(f"select count(*) from safra.lead_bruto{SUFFIX}").fetchone()
    leaves = conn.execute(
        """
        select
            n.nspname || '.' || c.relname, c.oid,
            pg_relation_size(c.oid), pg_indexes_size(c.oid), pg_total_relation_size(c.oid)
        from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
        where n.nspname in ('safra', 'raw_safra') and c.relname like %s and c.relkind = 'r'
        order by n.nspname desc, pg_total_relation_size(c.oid) desc
        """,
        ["%" + SUFFIX.replace("_", r"\_")],
    ).fetchall()
    return [
        Size(
            table=name.removesuffix(SUFFIX),
            rows=conn.execute(f"select count(*) from {name}").fetchone()[0] / ucs,
            heap=heap / ucs,
            index=index / ucs,
            toast=(total - heap - index) / ucs,
            padding=_padding(conn, name, oid),
        )
        for name, oid, heap, index, total in leaves
    ]


def _padding(conn: psycopg.Connection, table: str, oid: int) -> float:
    """Mean bytes a row that another column order would save."""
    columns = conn.execute(
        "select attname from pg_attribute where attrelid = %s and attnum > 0 and not attisdropped"
        " order by attlen = -1, strpos('disc', attalign::text), attnum",
        [oid],
    ).fetchall()
    best = ", ".join(name for (name,) in columns)
    sample = f"(select {{}} from {table} limit 20000 offset 0) as r"
    present, ideal = (
        conn.execute(f"select avg(pg_column_size(r)) from {sample.format(what)}").fetchone()[0] or 0
        for what in ("*", best)
    )
    return float(present) - float(ideal)
