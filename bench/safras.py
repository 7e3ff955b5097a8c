"""A safra added to hundreds of others, against the same safra added to an empty warehouse.

Belongs here: these figures: adding, looking one lead up, running again with nothing new.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import psycopg

from bench.measure import Figure, Run, median, ms, s, say, server_ms, session_ms
from bench.warehouse import ANO, PYTHON, READY, Bench

NAME = "safras"
FIRST, TINY, YEARS = 1001, 300, 5
MANY = "muitas"
ADDED = 9001
ABOUT = f"""\
The warehouse with many holds synthetic safras of {TINY} UCs each, of {YEARS} years, landed and
built as any others are (one loader, one `dbt build`). To it and to an empty one (domains, views
and rollups built) the same safra is added in turns: loader, then one `dbt build` with DBT_SAFRA
(build, tests, publication, rollups). Every round adds another distributor. One lead is looked
up in a new session (the server's planning + execution; it reads the root's list of partitions
first) and in one that asked before (what its client waits), as a pool's are."""

TESTS, PUBLICATION, ROLLUPS = "data tests", "publication", "rollups"
NEW, WARM = "new", "warm"
_LOOKUPS = {
    "lead_bruto by uc_id": "select * from intel_lead.lead_bruto where uc_id = '{uc_id}'",
    "lead_bruto by uc_id and safra": "select * from intel_lead.lead_bruto"
    " where uc_id = '{uc_id}' and ano = {ano} and distribuidora_id = {distribuidora_id}",
    "vw_lead_completo_detalhado by uc_id and safra": "select * from"
    " intel_lead.vw_lead_completo_detalhado"
    " where uc_id = '{uc_id}' and ano = {ano} and distribuidora_id = {distribuidora_id}",
    "lead_por_id(uc_id)": "select * from intel_lead.lead_por_id('{uc_id}')",
}
"""What a reader may write; the function only where the warehouse has it."""


@dataclass(frozen=True)
class Added:
    """What adding one safra took, and dbt's seconds by kind of node."""

    land: Run
    build: Run
    kinds: Mapping[str, float]

    @property
    def whole(self) -> Run:
        """Both processes."""
        return Run(self.land.seconds + self.build.seconds)


def minutes(bench: Bench, ucs: int) -> float:
    """How long this takes, about."""
    return 1 + bench.others * 0.035 + bench.rounds * (1.2 + 4 * bench.leads / 1e6)


def measure(bench: Bench, ucs: int) -> list[Figure]:
    """Take the figures; the size is the options', not ``ucs``."""
    if not bench.exists(MANY):
        _make_many(bench)
    alone: list[Added] = []
    among: list[Added] = []
    for number in range(bench.rounds):
        bench.fresh(READY)
        alone.append(_add(bench, number, "to an empty warehouse"))
        bench.keep("sozinha")
        with bench.live(MANY):
            among.append(_add(bench, number, f"to {bench.others + number} others"))
    figures = _growth(bench, alone, among)
    one, many = (_lookups(bench, name) for name in ("sozinha", MANY))
    figures += [
        Figure(
            group=NAME,
            ucs=bench.leads,
            what=f"one lead: {label}, {session} session, among many vs alone",
            ours=ms(many[label, session]),
            other=ms(one[label, session]),
            value=many[label, session] / one[label, session],
        )
        for label, session in one
    ]
    with bench.live(MANY):
        return [*figures, *_again(bench)]


def _make_many(bench: Bench) -> None:
    folder = bench.folder / "arquivos" / f"muitas_{bench.others}"
    say(f"making {bench.others} geodatabases of {TINY} UCs …")
    bench.python("muitas", "bench.many", folder, str(bench.others))
    bench.fresh(READY)
    say(f"landing and building {bench.others} safras …")
    land, build = bench.land(folder), bench.build()
    say(f"  landed in {s(land.seconds)}, built and published in {s(build.seconds)}")
    bench.keep(MANY)
    with bench.connect(MANY) as conn:
        conn.execute("vacuum analyze")


def _add(bench: Bench, number: int, where: str) -> Added:
    distribuidora = ADDED + number
    file = bench.file(bench.leads, distribuidora=distribuidora)
    land = bench.land(file)
    build = bench.build(f"{distribuidora}-{ANO}")
    added = Added(land, build, _by_kind(bench.nodes()))
    kinds = ", ".join(f"{kind} {seconds:.2f}" for kind, seconds in added.kinds.items())
    took = f"{land.seconds:.1f} + {build.seconds:.1f} s"
    say(f"  {number + 1}/{bench.rounds} {where}: {took} ({kinds})")
    return added


def _by_kind(nodes: Mapping[str, float]) -> dict[str, float]:
    kinds = {"tables": 0.0, TESTS: 0.0, PUBLICATION: 0.0, ROLLUPS: 0.0}
    for name, seconds in nodes.items():
        if name.startswith("test."):
            kinds[TESTS] += seconds
        elif name.endswith(".safra_publicada"):
            kinds[PUBLICATION] += seconds
        elif ".resumo_" in name:
            kinds[ROLLUPS] += seconds
        elif name.startswith("model."):
            kinds["tables"] += seconds
    return kinds


def _growth(bench: Bench, alone: list[Added], among: list[Added]) -> list[Figure]:
    def pair(what: str, pick: str, target: float | None = None) -> Figure:
        one, many = (median([_pick(a, pick) for a in found]) for found in (alone, among))
        return Figure(
            group=NAME,
            ucs=bench.leads,
            what=what,
            ours=s(many.seconds) if many.seconds >= 1 else ms(many.seconds * 1000),
            other=s(one.seconds) if many.seconds >= 1 else ms(one.seconds * 1000),
            value=many.seconds / one.seconds,
            target=target,
        )

    where = f"added to {bench.others} others vs to none"
    return [
        pair(f"a safra {where}: whole", "whole", 1.2),
        pair(f"a safra {where}: landing", "land"),
        *(pair(f"a safra {where}: {kind}", kind) for kind in alone[0].kinds),
    ]


def _pick(added: Added, what: str) -> Run:
    if what in added.kinds:
        return Run(added.kinds[what])
    return {"whole": added.whole, "land": added.land}[what]


def _lookups(bench: Bench, name: str) -> dict[tuple[str, str], float]:
    """Milliseconds of each way to find one lead of the safra that was added last."""
    connect = partial(bench.connect, name)
    with connect() as conn:
        place = _some_lead(conn, ADDED + bench.rounds - 1)
        there = conn.execute("select to_regprocedure('intel_lead.lead_por_id(uuid)')").fetchone()[0]
        found = {}
        for label, query in _LOOKUPS.items():
            if there or "lead_por_id" not in query:
                text = query.format(**place)
                found[label, NEW] = server_ms(connect, text, rounds=5)
                found[label, WARM] = session_ms(conn, text, rounds=50)
    return found


def _some_lead(conn: psycopg.Connection, distribuidora: int) -> dict[str, object]:
    uc_id, ano = conn.execute(
        "select uc_id, ano from intel_lead.lead_bruto where distribuidora_id = %s"
        " order by uc_id offset 100 limit 1",
        [distribuidora],
    ).fetchone()
    return {"uc_id": uc_id, "ano": ano, "distribuidora_id": distribuidora}


def _again(bench: Bench) -> list[Figure]:
    file = bench.file(bench.leads, distribuidora=ADDED)
    once = [PYTHON, "-m", "dagster_pipeline.run", file]
    say("  `make run` once, so that the next has nothing to do …")
    bench.run("run", *once)
    runs = {
        "`make run FILE`": [bench.run("run", *once) for _ in range(bench.rounds)],
        "`dbt build`": [bench.build() for _ in range(bench.rounds)],
    }
    return [
        Figure(
            group=NAME,
            ucs=bench.leads,
            what=f"{name} again with nothing new, {bench.others + bench.rounds} safras",
            ours=s(median(found).seconds),
            other="",
            value=median(found).seconds,
            unit="s",
            target=15,
        )
        for name, found in runs.items()
    ]
