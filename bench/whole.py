"""File to tested, published safra: ours against the usual way with pandas.

Belongs here: these figures and the tables that pandas fills. Not here: the pandas script itself
(pandas_way.py).
"""

import statistics

import psycopg

from bench.measure import BenchError, Figure, Run, alternate, mb, median, s, say
from bench.warehouse import READY, SAFRA, Bench

NAME = "whole"
ABOUT = """\
Ours: the loader, then what Dagster's job `safra` runs: `dbt build` of the safra's models with
all their data tests and the publication, in a warehouse whose domains are there. The usual way
(`bench/pandas_way.py`): `read_dataframe` of each layer, blanks to null, codes checked
by `isin`, CNAE and tariff merged, keys by md5 in a list comprehension, one row per UC by
`drop_duplicates`, months by `melt` and `groupby`, COPY in CSV blocks into five tables that
exist with the primary keys, foreign keys, checks and indexes of ours. It makes no history, no
enrichment log, no yearly summary, no rollups, no ledger and runs no test. Both end with the
same leads, monthly rows and kWh, which is checked. Memory is each client's peak; the server's
is not counted."""

MONTHLY = ("lead_energia_mensal", "lead_demanda_mensal", "lead_qualidade_mensal")
TABLES = ("lead_bruto", "ponto_notavel", *MONTHLY)
LARGEST = 2_000_000
"""Above this pandas needs more memory than most machines have (about 6 kB a UC)."""


def minutes(bench: Bench, ucs: int) -> float:
    """How long this takes, about."""
    pandas = 14 if ucs <= LARGEST else 0
    return _rounds(bench, ucs) * ucs * (5 + pandas) / 1e6


def _rounds(bench: Bench, ucs: int) -> int:
    return min(bench.rounds, 3 if ucs <= 200_000 else 2 if ucs <= 600_000 else 1)


def measure(bench: Bench, ucs: int) -> list[Figure]:
    """Take the figures of one size."""
    file, parts, contents = bench.file(ucs), [], []

    def ours() -> Run:
        bench.fresh(READY)
        land = bench.land(file)
        build = bench.publish(SAFRA)
        parts.append((land, build, _share_of_tests(bench)))
        with bench.connect() as conn:
            contents.append(_contents(conn, "intel_lead"))
        return Run(land.seconds + build.seconds, max(land.rss_mb, build.rss_mb))

    def pandas() -> Run:
        bench.fresh(READY)
        with bench.connect() as conn:
            make_tables(conn)
        run = bench.python("pandas", "bench.pandas_way", file)
        with bench.connect() as conn:
            contents.append(_contents(conn, "pandas"))
        return run

    ways = {"ours": ours} | ({"pandas": pandas} if ucs <= LARGEST else {})
    runs = alternate(_rounds(bench, ucs), ways)
    if len(set(contents)) != 1:
        raise BenchError(f"the ways did not end with the same rows and kWh: {set(contents)}")
    figures = _parts(ucs, parts)
    if "pandas" in runs:
        return [*_against(ucs, runs["ours"], runs["pandas"]), *figures]
    say(f"  pandas is left out above {LARGEST:,} UCs: it needs about 6 kB of memory for each")
    return figures


def _against(ucs: int, ours: Run, pandas: Run) -> list[Figure]:
    return [
        Figure(
            group=NAME,
            ucs=ucs,
            what="file → published safra vs pandas",
            ours=s(ours.seconds),
            other=s(pandas.seconds),
            value=pandas.seconds / ours.seconds,
            target=10,
            at_least=True,
        ),
        Figure(
            group=NAME,
            ucs=ucs,
            what="peak memory of the client vs pandas",
            ours=mb(ours.rss_mb),
            other=mb(pandas.rss_mb),
            value=pandas.rss_mb / ours.rss_mb,
            target=8,
            at_least=True,
        ),
    ]


def _parts(ucs: int, parts: list[tuple[Run, Run, float]]) -> list[Figure]:
    lands, builds, shares = zip(*parts, strict=True)
    land, build = median(lands), median(builds)
    return [
        Figure(
            group=NAME,
            ucs=ucs,
            what="of it: loader, dbt build",
            ours=f"{s(land.seconds)}, {mb(land.rss_mb)}",
            other=f"{s(build.seconds)}, {mb(build.rss_mb)}",
            value=build.seconds / land.seconds,
        ),
        Figure(
            group=NAME,
            ucs=ucs,
            what="share of the data tests in dbt's node seconds",
            ours="",
            other="",
            value=statistics.median(shares) * 100,
            unit="%",
        ),
    ]


def _share_of_tests(bench: Bench) -> float:
    nodes = bench.nodes()
    return sum(t for n, t in nodes.items() if n.startswith("test.")) / sum(nodes.values())


def _contents(conn: psycopg.Connection, schema: str) -> tuple[int, ...]:
    counts = [conn.execute(f"select count(*) from {schema}.{t}").fetchone()[0] for t in TABLES]
    kwh = f"select round(sum(energia_total)::numeric) from {schema}.lead_energia_mensal"
    return (*counts, int(conn.execute(kwh).fetchone()[0]))


def make_tables(conn: psycopg.Connection) -> None:
    """Tables like ours, not partitioned, with the same constraints and indexes."""
    conn.execute("create schema pandas")
    for table in TABLES:
        conn.execute(
            f"create table pandas.{table} (like intel_lead.{table} including defaults"
            " including constraints including indexes)"
        )
        keys = conn.execute(
            "select pg_get_constraintdef(oid) from pg_constraint"
            " where conrelid = %s::regclass and contype = 'f' and conparentid = 0",
            [f"intel_lead.{table}"],
        ).fetchall()
        if table in MONTHLY:
            keys.append(
                ("foreign key (uc_id, ano, distribuidora_id) references pandas.lead_bruto",)
            )
        for (key,) in keys:
            conn.execute(f"alter table pandas.{table} add {key}")
