"""The one road from files to readers: land each, judge what landed, build and publish all at once.

Belongs here: that order, what one bad file or safra costs the others (nothing), who is told. Not
here: how a file lands (loaders/), how a safra is judged (loaders/gate), whose a failure is
(failures.py), SQL (dbt), forecasts (forecasting/), Dagster (defs/).
Called by ``make run``, ``make build``, the inbox and whatever is materialized in the page.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import psycopg
import tenacity

from alerts import delivery
from alerts.judge import judge as judge_alerts
from dagster_pipeline import abreast, dbt_command, failures, manifest, seeds
from forecasting import publish
from loaders import connection as db
from loaders import ledger, removal
from loaders.bdgd import landing as bdgd
from loaders.bdgd import sums
from loaders.bdgd.files import sha256_of
from loaders.errors import DatabaseFailure, HeldDelivery, InvalidInput, LoadError
from loaders.figures import number
from loaders.gate import hold, verdict

Say = Callable[[str], None]

PROGRESS: ContextVar[Say] = ContextVar("PROGRESS", default=lambda _: None)
"""Takes what is going on, often: a terminal sets it, Dagster's page has the lines of ``say``."""

OUTAGE_S = 600
"""How long a run that nobody watches waits for a database that does not answer."""


@dataclass(frozen=True)
class File:
    """A file to land, and how."""

    path: Path
    options: bdgd.Options = bdgd.Options(wait=True)  # noqa: RUF009 - frozen


@dataclass(frozen=True)
class Landing:
    """What became of one file.

    Attributes:
        safras: keys of what it is the content of now; none where it was refused.
        error: why it was refused, or held.
        code: exit code of the loaders.
        complement: landed beside the safras' files: none of them comes from it.
    """

    path: Path
    safras: tuple[str, ...] = ()
    error: str = ""
    code: int = 0
    complement: bool = False

    @property
    def said(self) -> str:
        """The error, which names its file."""
        name = self.path.name
        return f"arquivo {self.error if name in self.error else f'{name}: {self.error}'}"


@dataclass
class Build:
    """What one or more dbt commands made.

    Attributes:
        published: keys, in the order of their publication.
        failed: key → why it is not published.
        problem: what is nobody's fault in particular: nothing of it is published.
        builds: how many dbt commands it took.
    """

    published: list[str] = field(default_factory=list)
    failed: dict[str, list[failures.Failed]] = field(default_factory=dict)
    problem: str = ""
    builds: int = 0
    nodes: tuple[dbt_command.Node, ...] = field(default=(), repr=False)


@dataclass
class Outcome:
    """What a batch did.

    Attributes:
        verdicts: of what was judged in it.
        held: key → why; of what was judged, given or asked for.
        forecast: distributors whose forecasts were made anew.
        refused: a line for each distributor whose forecasts were not what they must be.
        alerts: why alerts were not judged after the build.
    """

    landings: list[Landing]
    verdicts: list[verdict.Verdict]
    held: dict[str, str]
    build: Build
    forecast: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    alerts: str = ""

    @property
    def code(self) -> int:
        """Exit code: 0, 1 a safra failed or is held, else the greatest of the loaders'."""
        codes = [landing.code for landing in self.landings]
        build = self.build
        bad = self.held or build.failed or build.problem or self.refused or self.alerts
        return max([*codes, int(bool(bad))])

    def reasons(self, keys: Collection[str]) -> list[str]:
        """Why safras are not published, one line each."""
        lines = [
            f"safra {key} retida: {reason}; {hold.remedy(key)}"
            for key, reason in self.held.items()
            if key in keys
        ]
        lines += [
            f"safra {key} reprovada, não publicada: {'; '.join(map(str, reasons))}"
            for key, reasons in self.build.failed.items()
            if key in keys
        ]
        return lines

    def problems(self) -> list[str]:
        """One line for each thing that a person must look at."""
        lines = [x.said for x in self.landings if x.error]
        told = {key for x in self.landings if x.error for key in x.safras}
        lines += self.reasons({*self.held, *self.build.failed} - told)
        return [*lines, *self._of_nobody()]

    def noted(self) -> bool:
        """Whether what went wrong stands with files and safras in the ledger: all of it."""
        outage = any(x.code == DatabaseFailure.code for x in self.landings)
        return not outage and not any(self._of_nobody())

    def _of_nobody(self) -> Iterator[str]:
        yield from (*self.refused, *filter(None, (self.build.problem, self.alerts)))


def run(
    files: Sequence[File],
    *,
    keys: Collection[str] = (),
    building: bool = True,
    alone: bool = False,
    patient: bool = False,
    say: Say = lambda _: None,
) -> Outcome:
    """Files to published safras: what is asked for or pending, whatever else fails.

    Args:
        files: geodatabases and CSVs.
        keys: safras to build even if nothing of them changed; none: what is pending.
        building: False: land and judge alone.
        alone: build no safra but those that are asked for and those that the files change.
        patient: wait up to ``OUTAGE_S`` for a database that does not answer.
        say: takes a line that a person should see.
    """
    landings = land(files, patient=patient, say=say)
    with closing(db.connect()) as conn:
        prepare(conn)
        verdicts = judge(conn, say=say)
        # What stood before: a file that is landed already and failed in an earlier batch.
        given = {*keys, *(key for landing in landings for key in landing.safras)}
        judged = {seen.safra.key for seen in verdicts}
        # A build of all that is pending answers for all that is landed.
        whole = building and not keys and not files
        standing = ledger.landed(conn) if whole else given
        held = hold.held(conn, {*standing, *judged})
        new = failures.unpublished(conn, given) if alone else ()
        asked, done = tuple(sorted({*keys, *new} - set(held))), Build()
        due = bool(asked) if alone else (asked or not keys) and not _in_vain(conn, landings)
        if building and due:
            source = manifest.built_as(ledger.open_data(conn))
            done = build(conn, asked, say=say)
            if not asked and not done.problem:
                manifest.note_built(source)
        said = {*judged, *done.failed}
        done.failed |= failures.of(conn, keys=standing)
        if whole:
            _remind(held, done, said, say)
        silent = (
            failures.unpublished(conn, {*given, *asked} - {*held, *done.failed}) if building else []
        )
        if silent and not done.problem:
            done.problem = (
                f"não publicada, embora nada tenha falhado: {', '.join(silent)}; a importação mudou"
                " no meio da construção. Repita: make build"
            )
        forecast, refused = predict(conn, say=say) if building else ([], [])
        alerted = alert(conn, say=say) if done.builds else ""
    return Outcome(landings, verdicts, held, done, forecast, refused, alerted)


def _in_vain(conn: psycopg.Connection, landings: Sequence[Landing]) -> bool:
    """Whether no given file landed, and nothing else waits either: dbt would find nothing."""
    if (
        not landings
        or any(landing.safras for landing in landings)
        or not manifest.is_current(ledger.open_data(conn))
    ):
        return False
    keys = ledger.landed(conn)
    waiting = set(failures.unpublished(conn, keys)) - set(hold.held(conn, keys))
    return not waiting - set(failures.of(conn))


def _remind(held: dict[str, str], done: Build, said: Collection[str], say: Say) -> None:
    """Say of what was held or had failed before, and so was not tried, that it still is."""
    for key, reason in held.items():
        if key not in said:
            say(f"retida   safra {key}: {reason}; {hold.remedy(key)}")
    for key, reasons in done.failed.items():
        if key not in said:
            why = "; ".join(map(str, reasons))
            say(f"fora     safra {key} continua reprovada: {why}; make build SAFRA={key} a tenta")


def prepare(conn: psycopg.Connection) -> None:
    """What must exist before dbt runs."""
    from loaders.aicss import landing as aicss
    from loaders.companies import addresses

    db.prepare(conn)
    aicss.prepare(conn)
    sums.complete(conn)
    addresses.compare(conn, say=logging.getLogger(__name__).info)


# ── Landing ───────────────────────────────────────────────────────────────────────────────────────
def land(
    files: Sequence[File], *, patient: bool = False, say: Say = lambda _: None
) -> list[Landing]:
    """Land each file, all or nothing; a bad one is noted in the ledger and stops no other."""
    found, start = [], time.monotonic()
    with _heard(say):
        work = partial(_land, patient=patient)
        landings = abreast.landed(work, [(file.path, file.options) for file in files])
        for n, file in enumerate(files, 1):
            PROGRESS.get()(f"{n} de {len(files)}: {file.path.name}")
            landing = next(landings)
            found.append(landing)
            if landing.error:
                say(landing.said.replace("arquivo ", "arquivo  ", 1))
    if files:
        landed = sum(bool(landing.safras) for landing in found)
        say(f"carga    {landed} de {len(files)} arquivos aterrissados{_took(start)}")
    return found


@contextmanager
def _heard(say: Say) -> Iterator[None]:
    """Say what the loaders tell of the example, which goes when the first real file lands."""
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: say(f"exemplo  {record.getMessage().removeprefix('exemplo ')}")  # type: ignore[method-assign]
    removal.log.addHandler(handler)
    try:
        yield
    finally:
        removal.log.removeHandler(handler)


def _land(path: Path, options: bdgd.Options, *, patient: bool) -> Landing:
    again = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(DatabaseFailure),
        wait=tenacity.wait_exponential(multiplier=1, max=60),
        stop=tenacity.stop_after_delay(OUTAGE_S) if patient else tenacity.stop_after_attempt(1),
        reraise=True,
    )
    try:
        keys = again(bdgd.land, path, options)
        return Landing(path, tuple(keys), complement=options.complement)
    except HeldDelivery as error:
        with closing(db.connect()) as conn:
            keys = ledger.already_landed(conn, sha256_of(path), None, complement=options.complement)
        return Landing(path, tuple(keys), str(error), error.code, options.complement)
    except LoadError as error:
        return Landing(path, (), str(error), error.code)


# ── The gate ──────────────────────────────────────────────────────────────────────────────────────
def judge(conn: psycopg.Connection, *, say: Say = lambda _: None) -> list[verdict.Verdict]:
    """Pass what landed since through the gate, all at once; what it holds is said."""
    PROGRESS.get()("portão")
    start, found = time.monotonic(), verdict.judge_pending(conn)
    for seen in found:
        if seen.held:
            key = seen.safra.key
            say(f"retida   safra {key}: {seen.held}; {hold.remedy(key)}")
    if found:
        say(f"portão   {_count(len(found), 'safra julgada', 'safras julgadas')}{_took(start)}")
    return found


# ── Building ──────────────────────────────────────────────────────────────────────────────────────
@contextmanager
def sole_dbt(conn: psycopg.Connection, say: Say) -> Iterator[None]:
    """Hold the lock that one dbt build at a time has, whichever process runs it."""
    if not conn.execute(f"select pg_try_advisory_lock({ledger.DBT_LOCK})").fetchone()[0]:
        say("espera   outra construção está em andamento …")
        conn.execute(f"select pg_advisory_lock({ledger.DBT_LOCK})")
    try:
        yield
    finally:
        conn.execute(f"select pg_advisory_unlock({ledger.DBT_LOCK})")


def build(
    conn: psycopg.Connection, keys: tuple[str, ...] = (), *, say: Say = lambda _: None
) -> Build:
    """Build, test and publish; a safra that fails is noted, set aside, and the rest built again.

    What was built of the rest stays, so that building again tests and publishes. Each round sets
    at least one safra aside; more than two happen only when tests of later tables, skipped in the
    first round, find further ones.
    """
    result, asked = Build(), bool(keys)
    try:
        seeds.refuse()
    except InvalidInput as error:
        return Build(problem=str(error))
    with sole_dbt(conn, say):
        (start,) = conn.execute("select clock_timestamp()").fetchone()
        while True:
            began = time.monotonic()
            done = dbt_command.build(keys=keys, progress=lambda n: PROGRESS.get()(f"dbt, nó {n}"))
            say(f"dbt      {_tally(done)}{_took(began)}")
            result.builds += 1
            found = failures.attribute(done)
            bad = sorted({failed.key for failed in found})
            keys = tuple(key for key in keys if key not in bad)
            if not found or (asked and not keys):
                break
            say(f"fora     {', '.join(bad)}: o resto é testado de novo e publicado")
        result.nodes = done.nodes
        result.failed = failures.of(conn, since=start)
        result.problem = "" if found else failures.problem(done)
        result.published = failures.published(conn, since=start)
    for key, reasons in result.failed.items():
        say(f"falhou   safra {key}, não publicada: {'; '.join(map(str, reasons))}")
    failures.note(conn, result.failed)
    return result


# ── Forecasts ─────────────────────────────────────────────────────────────────────────────────────
def predict(conn: psycopg.Connection, *, say: Say = lambda _: None) -> tuple[list[int], list[str]]:
    """Forecast whose publications are not those that its forecasts are made of."""
    PROGRESS.get()("previsão")
    start = time.monotonic()
    made, refused = publish.update(conn, date.today())
    if made:
        say(f"previsão {_count(len(made), 'distribuidora', 'distribuidoras')}{_took(start)}")
    for line in refused:
        say(f"falhou   {line}")
    return made, refused


# ── Alerts ────────────────────────────────────────────────────────────────────────────────────────
def alert(conn: psycopg.Connection, *, say: Say = lambda _: None) -> str:
    """Judge all alert rules on what is published and send what is due; returns what went wrong.

    A receiver that is down is no failure: its deliveries wait, and `make status` says so.
    """
    PROGRESS.get()("alertas")
    try:
        judged = judge_alerts(conn, datetime.now(UTC))
        if judged.opened or judged.closed or judged.building:
            say(f"alertas  {judged}")
        sent = delivery.send(conn, datetime.now(UTC))
        if sent.delivered or sent.errors:
            say(f"avisos   {sent}")
    except psycopg.Error as error:
        said = " ".join(str(error).split())
        return f"alertas não julgados ({said}); de novo: make alerts"
    return "; ".join(f"regra {x} não julgada: {why}" for x, why in judged.problems.items())


def _tally(done: dbt_command.Done) -> str:
    of = {kind: [n for n in done.nodes if n.kind == kind] for kind in ("model", "test")}
    good = {k: sum(n.status not in (*dbt_command.BAD, "skipped") for n in v) for k, v in of.items()}
    return (
        f"{good['model']} de {len(of['model'])} tabelas e visões,"
        f" {good['test']} de {len(of['test'])} testes"
    )


def _took(start: float) -> str:
    return f"  {number(time.monotonic() - start, 1)} s"


def _count(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"
