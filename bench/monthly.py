"""The monthly tables with primary and foreign keys, against bare CREATE TABLE AS of the same rows.

Belongs here: these figures. What is run is what the materialization runs: the model's compiled SQL
on this safra's leaves, then controle.completa_folha (macros/safra.sql, macros/folha.sql).
"""

from collections.abc import Callable
from pathlib import Path
from statistics import median

import psycopg

from bench.measure import BenchError, Figure, Run, alternate, clock, s
from bench.warehouse import ANO, DISTRIBUIDORA, LIVE, Bench

NAME = "monthly"
ABOUT = """\
Ours: for `lead_serie`, `lead_energia_mensal` and `lead_qualidade_mensal`, what the
materialization `safra` does: CREATE TABLE AS, then NOT NULL, CHECK, PK, FK to the lead,
indexes, statistics, ATTACH. Bare, same SELECTs: CREATE TABLE AS of the three from the same raw
leaves, nothing else. Bare, ready rows: CREATE TABLE AS SELECT * of the two finished monthly
tables, the least that writing these rows can take; there ours is without `lead_serie`."""
SERIES, MONTHLY = "lead_serie", ("lead_energia_mensal", "lead_qualidade_mensal")
SUFFIX = f"_{DISTRIBUIDORA}_{ANO}"


def minutes(bench: Bench, ucs: int) -> float:
    """How long this takes, about, a warehouse included."""
    return ucs * 5 / 1e6 + bench.rounds * ucs * 2 / 1e6


def measure(bench: Bench, ucs: int) -> list[Figure]:
    """Take the figures of one size."""
    name = bench.built(ucs)
    models = {m: _compiled(bench.folder / "target", m) for m in (SERIES, *MONTHLY)}
    months: list[float] = []
    with bench.connect(name) as conn:

        def ours() -> Run:
            runs = {m: clock(lambda m=m: _constrained(conn, m, models[m])) for m in models}
            months.append(sum(runs[m].seconds for m in MONTHLY))
            for model in models:
                conn.execute(f"drop table construcao.{model}{SUFFIX} cascade")
            return Run(sum(run.seconds for run in runs.values()))

        def same() -> Run:
            return _bare(conn, {m: _on_leaves(conn, text) for m, text in models.items()})

        def ready() -> Run:
            return _bare(conn, {m: f"select * from safra.{m}{SUFFIX}" for m in MONTHLY})

        ways: dict[str, Callable[[], Run]] = {"ours": ours, "same SELECTs": same, "rows": ready}
        runs = alternate(bench.rounds, ways)
    return [
        _figure(ucs, "from raw vs bare, same SELECTs", runs["ours"].seconds, runs["same SELECTs"]),
        _figure(ucs, "from series vs bare, ready rows", median(months), runs["rows"]),
    ]


def _figure(ucs: int, what: str, ours: float, other: Run) -> Figure:
    return Figure(
        group=NAME,
        ucs=ucs,
        what=f"monthly tables with PK and FK {what}",
        ours=s(ours),
        other=s(other.seconds),
        value=ours / other.seconds,
        target=4 if what.endswith("SELECTs") else None,
    )


def _compiled(target: Path, model: str) -> str:
    found = list((target / "compiled").rglob(f"{model}.sql"))
    if len(found) != 1:
        raise BenchError(f"{target}/compiled has {len(found)} files {model}.sql, not 1")
    return found[0].read_text().replace(f'"{LIVE}".', "")


def _on_leaves(conn: psycopg.Connection, text: str) -> str:
    """The model's SQL with roots replaced by this safra's leaves, as the materialization does."""
    roots = conn.execute(
        "select n.nspname, c.relname from pg_class as c"
        " inner join pg_namespace as n on c.relnamespace = n.oid"
        " where c.relkind = 'p' and n.nspname in ('intel_lead', 'raw')"
    ).fetchall()
    for schema, table in roots:
        leaf = f"raw_safra.{table}{SUFFIX}"
        if schema == "intel_lead":
            leaf = f"safra.{table}{SUFFIX}"
            if conn.execute("select to_regclass(%s)", [f"construcao.{table}{SUFFIX}"]).fetchone()[
                0
            ]:
                leaf = f"construcao.{table}{SUFFIX}"
        text = text.replace(f'"{schema}"."{table}"', leaf)
    return text


def _constrained(conn: psycopg.Connection, model: str, text: str) -> None:
    leaf = f"{model}{SUFFIX}"
    with conn.transaction():
        made = conn.execute(f"create table construcao.{leaf} as {_on_leaves(conn, text)}")
        conn.execute(
            "select controle.completa_folha(%s, %s, %s, %s, 'lead_bruto', %s)",
            [model, leaf, ANO, DISTRIBUIDORA, made.rowcount],
        )


def _bare(conn: psycopg.Connection, queries: dict[str, str]) -> Run:
    conn.execute("drop schema if exists bare cascade")
    conn.execute("create schema bare")
    conn.execute("checkpoint")

    def make() -> None:
        for name, query in queries.items():
            conn.execute(f"create table bare.{name} as {query}")

    run = clock(make)
    conn.execute("drop schema bare cascade")
    conn.execute("checkpoint")
    return run
