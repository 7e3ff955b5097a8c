"""Many vintages, from wherever they are to readers: fetched, landed, published, batch by batch.

Belongs here: what a batch takes, how far it is, what is left. Not here: the plan and fetching
(loaders/catalogue), what a batch does (batch.py), Dagster (defs/vintages.py). Nothing is remembered
of a run: what is done is in the database, so whoever starts again goes on.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass

import psycopg

from dagster_pipeline import batch
from loaders import connection as db
from loaders.bdgd import landing as bdgd
from loaders.catalogue import archive, bookkeeping, errand, wanted
from loaders.catalogue.archive import Copy
from loaders.catalogue.wanted import Plan, Step, Task, Wanted
from loaders.errors import DatabaseFailure, InvalidInput, LoadError
from loaders.figures import number
from loaders.open_data.client import Client

AT_ONCE = 5
"""Safras of one batch: one dbt command builds them, and a kill costs no more than one batch."""
AT_ONCE_BYTES = 2 * 2**30
LINES = 20
"""Of the plan; of the rest, their number."""


def shown(conn: psycopg.Connection, plan: Plan, *, lines: int = LINES) -> Iterator[str]:
    """What a plan would do, how many bytes and how long; a line each."""
    for word in plan.unknown:
        yield f"falta    {word}: não está no catálogo da ANEEL, no arquivo nem aterrissada"
    for task in plan.tasks[:lines]:
        size = f", {number(task.bytes / 2**20, 1)} MB" if task.bytes else ""
        yield f"plano    {task.key}: {task.said}{size}"
    if len(plan.tasks) > lines:
        yield f"plano    … e mais {len(plan.tasks) - lines}"
    for task in plan.rest[:lines]:
        yield f"fica     {task.key}: {task.said}"
    if len(plan.rest) > lines:
        yield f"fica     … e mais {len(plan.rest) - lines}"
    coming = f", {number(plan.to_fetch / 2**20, 1)} MB a buscar" if plan.to_fetch else ""
    count = len(plan.tasks)
    yield f"plano    {count} safra{'s' * (count != 1)} a publicar{coming}{_expected(conn, plan)}"


def _expected(conn: psycopg.Connection, plan: Plan) -> str:
    """How long it should take, by what was measured here."""
    pace = bookkeeping.speed(conn)
    if not plan.tasks:
        return ""
    if not pace.byte_s or not pace.least_s or (plan.to_fetch and not pace.fetched_byte_s):
        return "; nada medido aqui ainda diz quanto demora"
    count = sum(1 for _ in wanted.batches(plan.tasks, AT_ONCE, AT_ONCE_BYTES))
    publishing = max(plan.bytes * pace.byte_s, count * pace.least_s)
    coming = plan.to_fetch * (pace.fetched_byte_s or 0)
    return f"; cerca de {said_time(coming + publishing)}, pelo que já se mediu aqui"


def said_time(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:  # noqa: PLR2004
        return f"{number(max(1, seconds))} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def run(
    asked: Wanted, client: Client, *, patient: bool = False, say: batch.Say = lambda _: None
) -> Iterator[batch.Outcome]:
    """Publish what is wanted and is not; each batch's outcome as it ends.

    What did not come is a refused landing of its batch: it stops no other.
    """
    with closing(db.connect()) as conn:
        db.prepare(conn)
        _alone(conn, say)
        plan = wanted.plan(conn, asked)
        for line in shown(conn, plan):
            say(line)
        pace = _Pace(plan.tasks)
        for group in wanted.batches(plan.tasks, AT_ONCE, AT_ONCE_BYTES):
            outcome = _one(conn, client, group, patient=patient, say=say)
            pace.done += group
            pace.published += len(outcome.build.published)
            say(f"andou    {pace}")
            yield outcome


def _alone(conn: psycopg.Connection, say: batch.Say) -> None:
    """Of two runs the second waits, and plans what the first has left; a lock dies with its run."""
    lock = "hashtextextended('intel_lead novas safras', 0)"
    if not conn.execute(f"select pg_try_advisory_lock({lock})").fetchone()[0]:
        say("espera   outra busca de safras está em andamento …")
        conn.execute(f"select pg_advisory_lock({lock})")


@dataclass
class _Pace:
    """How far a run is, and how long the rest should take at its own speed."""

    tasks: list[Task]

    def __post_init__(self) -> None:
        self.done: list[Task] = []
        self.published = 0
        self._start = time.monotonic()

    def __str__(self) -> str:
        left = self.tasks[len(self.done) :]
        text = f"{len(self.done)} de {len(self.tasks)}, {self.published} publicadas"
        if not left:
            return text
        # A safra has a cost of its own, besides that of its bytes: half and half.
        share = (_share(left, self.done) + len(left) / len(self.done)) / 2
        return f"{text}; falta cerca de {said_time((time.monotonic() - self._start) * share)}"


def _share(left: list[Task], done: list[Task]) -> float:
    """Bytes that are left, of one that is done; where nobody knows them, their number."""
    known = sum(task.bytes for task in done)
    return sum(task.bytes for task in left) / known if known else len(left) / len(done)


def _one(
    conn: psycopg.Connection,
    client: Client,
    group: list[Task],
    *,
    patient: bool,
    say: batch.Say,
) -> batch.Outcome:
    """Fetch, land and publish one batch."""
    refused: list[batch.Landing] = []
    copies: dict[str, tuple[Task, Copy]] = {}
    for task in group:
        if task.step is Step.BUILD or task.item is None:
            continue
        try:
            copy = _copy(conn, client, task, say)
        except LoadError as error:
            say(f"arquivo  {task.key}: {error}")
            path = archive.place(task.item) / task.item.title
            refused.append(batch.Landing(path, (), f"{task.key}: {error}", error.code))
            continue
        copies[str(copy.named)] = (task, copy)
    files = [_file(task, copy) for task, copy in copies.values()]
    keys = [task.key for task in group if task.step is Step.BUILD]
    if not files and not keys:
        return batch.Outcome(refused, [], {}, batch.Build())
    outcome = batch.run(files, keys=keys, alone=True, patient=patient, say=say)
    for landing in outcome.landings:
        task, copy = copies[str(landing.path)]
        # A CSV that finds no geodatabase yet may find one tomorrow.
        lasting = landing.code == InvalidInput.code and not (landing.safras or landing.complement)
        if lasting and task.item:
            bookkeeping.failed(conn, [task.item.item_id], landing.error, refused=copy.sha256)
    outcome.landings += refused
    return outcome


def _copy(conn: psycopg.Connection, client: Client, task: Task, say: batch.Say) -> Copy:
    """An item's copy: the one that is there, or one that comes now."""
    assert task.item is not None
    there = archive.kept(task.item) if task.step is Step.LAND else None
    if there:
        return there
    copy = errand.fetch(conn, client, task.item, _bar)
    took = f"  {number(copy.seconds, 1)} s"
    say(f"busca    {task.key}: {task.item.title}, {number(copy.bytes / 2**20, 1)} MB{took}")
    return copy


def _file(task: Task, copy: Copy) -> batch.File:
    """How an item lands: a CSV beside the geodatabases, one of these as its own distributor's."""
    beside = task.item is not None and task.item.kind == "csv_pj"
    of = task.item.distribuidora_id if task.item else None
    options = bdgd.Options(wait=True, complement=beside, distributor=None if beside else of)
    return batch.File(copy.named, options)


def _bar(name: str, size: int) -> AbstractContextManager[Callable[[int], None]]:
    """How much of a file has come, where a terminal listens."""

    @contextmanager
    def telling() -> Iterator[Callable[[int], None]]:
        tell, whole, come = batch.PROGRESS.get(), number(size / 2**20, 1) if size else "?", 0

        def advance(step: int) -> None:
            nonlocal come
            come += step
            tell(f"{name}: {number(come / 2**20, 1)} de {whole} MB")

        yield advance

    return telling()


def code(outcomes: list[batch.Outcome]) -> int:
    """Exit code: the greatest of the batches'; the database's goes before."""
    codes = [outcome.code for outcome in outcomes]
    return DatabaseFailure.code if DatabaseFailure.code in codes else max(codes, default=0)
