"""The one road from files to readers: land each, judge what landed, build and publish all at once.

Belongs here: that order, what one bad file or safra costs the others (nothing), who is told. Not
here: how a file lands (loaders/), how a safra is judged (loaders/gate), SQL (dbt), Dagster (defs/).
Called by ``make run``, ``make build``, the inbox and whatever is materialized in the page.
"""

import logging
import os
import re
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import tenacity
from psycopg import sql
from psycopg.types.json import Jsonb

from dagster_pipeline import dbt_command, manifest
from loaders import connection as db
from loaders import ledger, removal
from loaders.bdgd import landing as bdgd
from loaders.bdgd import sums
from loaders.bdgd.files import sha256_of
from loaders.errors import DatabaseFailure, HeldDelivery, LoadError
from loaders.gate import hold, verdict
from loaders.safra import Safra

Say = Callable[[str], None]

PROGRESS: ContextVar[Say] = ContextVar("PROGRESS", default=lambda _: None)
"""Takes what is going on, often: a terminal sets it, Dagster's page has the lines of ``say``."""

KEYS_OF_A_ROW = ("uc_id", "pn_id", "ano", "distribuidora_id", "origem", "camada", "mes")
"""What is kept of a row that failed a test: what finds it again, and says nothing of a person."""
FIRST_ROWS = 5
BUILT = "controle.safra_construida"
DATA_ERRORS = (psycopg.DataError, psycopg.IntegrityError)
OUTAGE_S = 600
"""How long a run that nobody watches waits for a database that does not answer."""

_CONSTRUCTION = re.compile(r'"[^"]+"\."construcao"\."(\w+)"')


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


@dataclass(frozen=True)
class Failed:
    """Why a safra is not published: the test or table, rows, keys of the first of them."""

    key: str
    where: str
    reason: str
    rows: int | None = None
    keys: tuple[dict[str, object], ...] = ()

    def __str__(self) -> str:
        """One line."""
        return f"{self.where}: {self.reason}"


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
    failed: dict[str, list[Failed]] = field(default_factory=dict)
    problem: str = ""
    builds: int = 0
    nodes: tuple[dbt_command.Node, ...] = field(default=(), repr=False)


@dataclass
class Outcome:
    """What a batch did.

    Attributes:
        verdicts: of what was judged in it.
        held: key → why; of what was judged, given or asked for.
    """

    landings: list[Landing]
    verdicts: list[verdict.Verdict]
    held: dict[str, str]
    build: Build

    @property
    def code(self) -> int:
        """Exit code: 0, 1 a safra failed or is held, else the greatest of the loaders'."""
        codes = [landing.code for landing in self.landings]
        return max([*codes, int(bool(self.held or self.build.failed or self.build.problem))])

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
        lines = [f"arquivo {x.path.name}: {x.error}" for x in self.landings if x.error]
        told = {key for x in self.landings if x.error for key in x.safras}
        lines += self.reasons({*self.held, *self.build.failed} - told)
        return [*lines, *([self.build.problem] if self.build.problem else [])]


def run(
    files: Sequence[File],
    *,
    keys: Collection[str] = (),
    building: bool = True,
    patient: bool = False,
    say: Say = lambda _: None,
) -> Outcome:
    """Files to published safras: what is asked for or pending, whatever else fails.

    Args:
        files: geodatabases and CSVs.
        keys: safras to build even if nothing of them changed; none: what is pending.
        building: False: land and judge alone.
        patient: wait up to ``OUTAGE_S`` for a database that does not answer.
        say: takes a line that a person should see.
    """
    landings = land(files, patient=patient, say=say)
    with closing(db.connect()) as conn:
        prepare(conn)
        verdicts = judge(conn, say=say)
        # What stood before: a file that is landed already and failed in an earlier batch.
        given = {*keys, *(key for landing in landings for key in landing.safras)}
        held = hold.held(conn, {*given, *(seen.safra.key for seen in verdicts)})
        asked, done = tuple(sorted(set(keys) - set(held))), Build()
        if building and (asked or not keys):
            source = manifest.built_as()
            done = build(conn, asked, say=say)
            if not keys and not done.problem:
                manifest.note_built(source)
        done.failed |= failures(conn, keys=given)
        silent = unpublished(conn, {*given, *asked} - {*held, *done.failed}) if building else []
        if silent and not done.problem:
            done.problem = (
                f"não publicada, embora nada tenha falhado: {', '.join(silent)}; a importação mudou"
                " no meio da construção. Repita: make build"
            )
    return Outcome(landings, verdicts, held, done)


def prepare(conn: psycopg.Connection) -> None:
    """What must exist before dbt runs."""
    from loaders.aicss import landing as aicss

    db.prepare(conn)
    aicss.prepare(conn)
    sums.complete(conn)


# ── Landing ───────────────────────────────────────────────────────────────────────────────────────
def land(
    files: Sequence[File], *, patient: bool = False, say: Say = lambda _: None
) -> list[Landing]:
    """Land each file, all or nothing; a bad one is noted in the ledger and stops no other."""
    found, start = [], time.monotonic()
    for n, file in enumerate(files, 1):
        PROGRESS.get()(f"{n} de {len(files)}: {file.path.name}")
        with _heard(say):
            landing = _land(file.path, file.options, patient=patient)
        found.append(landing)
        if landing.error:
            say(f"arquivo  {landing.error}")
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
    with sole_dbt(conn, say):
        (start,) = conn.execute("select clock_timestamp()").fetchone()
        while True:
            began = time.monotonic()
            done = dbt_command.build(keys=keys, progress=lambda n: PROGRESS.get()(f"dbt, nó {n}"))
            say(f"dbt      {_tally(done)}{_took(began)}")
            result.builds += 1
            found = attribute(done)
            bad = sorted({failed.key for failed in found})
            keys = tuple(key for key in keys if key not in bad)
            if not found or (asked and not keys):
                break
            say(f"fora     {', '.join(bad)}: o resto é testado de novo e publicado")
        result.nodes = done.nodes
        result.failed = failures(conn, since=start)
        result.problem = "" if found else problem(done)
        result.published = published(conn, since=start)
    for key, reasons in result.failed.items():
        say(f"falhou   safra {key}, não publicada: {'; '.join(map(str, reasons))}")
    note(conn, result.failed)
    return result


def _tally(done: dbt_command.Done) -> str:
    of = {kind: [n for n in done.nodes if n.kind == kind] for kind in ("model", "test")}
    good = {k: sum(n.status not in (*dbt_command.BAD, "skipped") for n in v) for k, v in of.items()}
    return (
        f"{good['model']} de {len(of['model'])} tabelas e visões,"
        f" {good['test']} de {len(of['test'])} testes"
    )


def _took(start: float) -> str:
    return f"  {time.monotonic() - start:.1f} s"


def _count(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def _as_dbt() -> psycopg.Connection:
    """A connection that acts as dbt's role: leaves and the table of failures are dbt's."""
    conn = psycopg.connect("", autocommit=True, fallback_application_name="intel_lead lote")
    if role := os.environ.get("INTEL_DBT_ROLE"):
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
    return conn


def attribute(done: dbt_command.Done) -> list[Failed]:
    """Whose rows made tests fail: each is asked again of each safra's leaves alone; set aside.

    What fails over all of them and over none alone, or reads no safra's table, is nobody's.
    """
    tests = [node for node in done.bad if node.kind == "test" and node.code]
    if not tests:
        return []
    found = []
    with closing(_as_dbt()) as conn:
        for key, ano, dist, import_id, md5 in conn.execute(UNDER_CONSTRUCTION).fetchall():
            for test in tests:
                failed = _ask(conn, test, key)
                if failed:
                    found.append(failed)
                    conn.execute(
                        "select controle.reprova_safra(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                        [ano, dist, import_id, md5, done.invocation, failed.where, failed.rows]
                        + [Jsonb(list(failed.keys)), failed.reason],
                    )
    return found


UNDER_CONSTRUCTION = """
    select distribuidora_id || '-' || ano, ano, distribuidora_id, max(import_id), max(sql_md5)
    from controle.safra_construida
    where not publicada
    group by ano, distribuidora_id
    order by ano, distribuidora_id
"""


def _ask(conn: psycopg.Connection, test: dbt_command.Node, key: str) -> Failed | None:
    """What a test finds in one safra's leaves: those under construction, else the published."""
    suffix = f"_{key.replace('-', '_')}"

    def leaf(root: re.Match[str]) -> str:
        # Of a safra that was asked for alone, the test reads the leaf already.
        name = root[1].removesuffix(suffix) + suffix
        query = "select controle.folha_da_safra(%s)"
        return conn.execute(query, [name]).fetchone()[0]

    # The safras that a test of conservation expects to find: this one.
    alone = f"(select * from {BUILT} where distribuidora_id || '-' || ano = '{key}') as s"
    try:
        code, roots = _CONSTRUCTION.subn(leaf, test.code.replace(f"from {BUILT}", f"from {alone}"))
    except psycopg.errors.UndefinedTable:  # not built so far: no test of it has failed
        return None
    if not roots:
        return None
    try:
        rows, first = conn.execute(
            f"with achadas as ({code}) select (select count(*) from achadas),"  # noqa: S608
            f" (select jsonb_agg(to_jsonb(p)) from (select * from achadas limit {FIRST_ROWS}) as p)"
        ).fetchone()
    except DATA_ERRORS as error:
        return Failed(key, test.name, f"o teste não termina: {_without_values(error)}")
    if not rows:
        return None
    keys = tuple({k: v for k, v in row.items() if k in KEYS_OF_A_ROW} for row in first)
    return Failed(key, test.name, f"{rows} linha{'s' * (rows > 1)}", rows, keys)


def _without_values(error: psycopg.Error) -> str:
    """PostgreSQL's message; what it quotes of a row is left out."""
    return re.sub(r'".*"', '"…"', str(error.diag.message_primary or error))


def failures(
    conn: psycopg.Connection, *, since: object = None, keys: Collection[str] | None = None
) -> dict[str, list[Failed]]:
    """The safras that failed as they are landed now, and why: key → tests or tables."""
    if conn.execute("select to_regclass('controle.safra_reprovada') is null").fetchone()[0]:
        return {}
    rows = conn.execute(
        "select distribuidora_id || '-' || ano, onde, motivo, linhas, chaves"
        " from controle.safra_reprovada join controle.safra_importada"
        "  using (ano, distribuidora_id, import_id)"
        " where quando >= coalesce(%(since)s, quando)"
        "  and (%(keys)s::text[] is null or distribuidora_id || '-' || ano = any(%(keys)s))"
        " order by ano, distribuidora_id, onde",
        {"since": since, "keys": None if keys is None else list(keys)},
    )
    found = defaultdict(list)
    for key, where, reason, lines, first in rows:
        found[key].append(Failed(key, where, reason, lines, tuple(first or ())))
    return dict(found)


def published(conn: psycopg.Connection, *, since: object = None) -> list[str]:
    """Keys of the published safras: all, or those since a moment of the database's clock."""
    if conn.execute("select to_regclass('intel_lead.safra_publicada') is null").fetchone()[0]:
        return []
    rows = conn.execute(
        "select distribuidora_id || '-' || ano from intel_lead.safra_publicada"
        " where publicada_em >= coalesce(%s, publicada_em) order by publicada_em",
        [since],
    )
    return [key for (key,) in rows]


def unpublished(conn: psycopg.Connection, keys: Collection[str]) -> list[str]:
    """Of these safras, those that readers do not see as they are landed."""
    rows = conn.execute(
        "select distribuidora_id || '-' || ano from controle.safra_importada as i"
        " left join intel_lead.safra_publicada as p using (ano, distribuidora_id)"
        " where p.import_id is distinct from i.import_id"
        "  and distribuidora_id || '-' || ano = any(%s) order by 1",
        [list(keys)],
    )
    return [key for (key,) in rows] if keys else []


def note(conn: psycopg.Connection, failed: dict[str, list[Failed]]) -> None:
    """Say in the ledger, once, that what landed is not published and why."""
    for key, reasons in failed.items():
        safra = Safra.from_key(key)
        conn.execute(
            "update intel_lead.import_status as i"
            " set observacoes = concat_ws('; ', observacoes, %(nota)s::text)"
            " from controle.entrega as e"
            " where i.import_id = e.import_id and e.aceita"
            "  and (e.ano, e.distribuidora_id) = (%(ano)s, %(dist)s)"
            "  and strpos(coalesce(observacoes, ''), %(nota)s) = 0",
            {
                "nota": f"reprovada, não publicada: {'; '.join(map(str, reasons))}",
                "ano": safra.ano,
                "dist": safra.distribuidora_id,
            },
        )


def problem(done: dbt_command.Done) -> str:
    """What failed and is no safra's fault, in a line or two."""
    if not done.nodes and done.code:
        return f"o dbt não começou: {done.text[-2000:]}"
    bad = done.bad
    if not bad:
        return ""
    names = ", ".join(f"{node.name} ({_first_line(node.message)})" for node in bad[:3])
    more = f" e mais {len(bad) - 3}" if len(bad) > 3 else ""  # noqa: PLR2004
    return f"falhou sem ser por uma safra: {names}{more}; o que depende disso não foi publicado"


def _first_line(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return " ".join(lines[1:3] or lines)[:300]
