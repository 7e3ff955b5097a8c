"""What `make run` executes: files to a published warehouse, by the jobs of Dagster's pages.

Belongs here: which steps are needed, their order, what a person is told. Not here: how a file lands
(loaders/), what a job does (dagster_pipeline/). Dagster and dbt are imported only if there is work.
``.venv/bin/python -m scripts.run [FILE...]``; exit 0 done, 1 a test failed, 2 usage, 3 input,
4 database.
"""

import logging
import os
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from dagster_pipeline import manifest
from loaders import amostra_aicss, arquivos, bdgd, conexao, registro
from loaders.erros import EntradaInvalida, EntregaRetida, ErroDeCarga, FalhaDeBanco
from loaders.safra import Safra

if TYPE_CHECKING:
    import dagster as dg

EXAMPLE_DISTRIBUIDORA = 65_000
"""No distributor of ANEEL's: made-up units never stand among, or replace, real ones."""
EXAMPLE = manifest.CLONE / ".local" / "exemplo" / "sintetico_65000_2024.gdb.zip"
SAMPLE = Path(amostra_aicss.__file__).parent

# Steps write to 1 and 2, which Dagster keeps; a person sees one line per step, through this.
SCREEN = Console(file=os.fdopen(os.dup(1), "w", buffering=1), highlight=False, soft_wrap=True)

USAGE = 2
INTERRUPTED = 130
PHASES = {"raw_bdgd": "land", "raw_aicss": "land", "dbt_safra": "build", "dbt_publicado": "marts"}
PHASES["portao_de_entrada"] = "check"

QUERY = """select cod_id, municipio, pac, energia_anual_kwh
  from intel_lead.vw_lead_completo_detalhado
  where enriquecimento_status = 'success' and pac > 15000;"""


@dataclass(frozen=True)
class Failure:
    """A step that failed: what a person needs in order to do something about it."""

    step: str
    subject: str
    reason: str
    code: int = 1
    logs: str = ""


@dataclass
class Report:
    """What happened so far."""

    seconds: dict[str, float] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase; its seconds add up over files."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - start


@dataclass(frozen=True)
class Task:
    """One file, and the safras that the ledger says it is already the content of."""

    path: Path
    landed: tuple[str, ...]
    published: bool


# What is there already ----------------------------------------------------------------------------


def is_published(conn: psycopg.Connection, keys: Collection[str]) -> bool:
    """Whether readers see exactly what is landed of these safras."""
    if conn.execute("select to_regclass('intel_lead.safra_publicada') is null").fetchone()[0]:
        return False
    found = conn.execute(
        "select count(*) from controle.safra_importada"
        " join intel_lead.safra_publicada using (ano, distribuidora_id, import_id)"
        " where distribuidora_id || '-' || ano = any(%s)",
        [list(keys)],
    ).fetchone()
    return found[0] == len(keys)


def examine(conn: psycopg.Connection, path: Path) -> Task:
    """What the ledger knows of a file's content.

    Raises:
        EntradaInvalida: it cannot be read.
    """
    landed = registro.ja_carregado(conn, arquivos.somar_sha256(path), None)
    return Task(path, tuple(landed), bool(landed) and is_published(conn, landed))


def open_safras(path: Path) -> list[str]:
    """The safras that a file says it has; BASE decides, not the file's name."""
    with bdgd.abrir(path, None) as fonte:
        return [safra.chave for safra in fonte.safras]


def holds_real_data(conn: psycopg.Connection) -> bool:
    """Whether anything but the example has landed: the example is for an empty warehouse."""
    return conn.execute(
        "select exists (select from intel_lead.import_status"
        " where status = 'completed' and arquivo <> %s)",
        [EXAMPLE.name],
    ).fetchone()[0]


def sample_is_landed(conn: psycopg.Connection) -> bool:
    """Whether the AICSS sample's readings are all there."""
    if conn.execute("select to_regclass('controle.aicss_arquivo') is null").fetchone()[0]:
        return False
    names = [str(path) for path in SAMPLE.iterdir() if path.suffix in (".log", ".csv", ".jsonl")]
    found = conn.execute(
        "select count(distinct arquivo) from controle.aicss_arquivo where arquivo = any(%s)",
        [names],
    ).fetchone()
    return found[0] == len(names)


def built_as() -> str:
    """What the warehouse was last built from, and where: the dbt project, the database."""
    place = ":".join(os.environ.get(name, "") for name in ("PGHOST", "PGPORT", "PGDATABASE"))
    return f"{manifest.fingerprint()} {place}"


def built_file() -> Path:
    """Where `built_as` of the last good run is kept."""
    return manifest.target() / "built"


def is_current() -> bool:
    """Whether nothing of the dbt project changed since the last good run on this database."""
    return built_file().exists() and built_file().read_text() == built_as()


# Steps --------------------------------------------------------------------------------------------


def say(step: str, text: str, seconds: float | None = None) -> None:
    """One line per step."""
    took = "" if seconds is None else f"  [dim]{seconds:.1f} s[/]"
    SCREEN.print(f"[bold]{step:<9}[/] {text}{took}")


def make_example() -> None:
    """Make the synthetic geodatabase; kept, so that the next run meets the same content."""
    from loaders import sintetico

    start = time.monotonic()
    made = sintetico.escrever(
        sintetico.Receita(distribuidora=EXAMPLE_DISTRIBUIDORA, defeitos=sintetico.PADRAO), EXAMPLE
    )
    rows = ", ".join(f"{n:,} {camada}" for camada, n in made.linhas.items() if n > 1)
    say("example", f"{EXAMPLE.name}, a synthetic geodatabase: {rows}", time.monotonic() - start)


def tasks(files: list[Path], conn: psycopg.Connection, report: Report) -> list[Task]:
    """The files that are asked for; an unreadable one is a failure and holds back no other."""
    found = []
    for given in files:
        if not given.exists():
            fail(report, Failure("read", str(given), "there is no such file", USAGE))
            continue
        try:
            found += [examine(conn, path) for path in arquivos.achar(given)]
        except EntradaInvalida as erro:
            reject(given, erro, report)
    return found


def safras_of(task: Task, report: Report) -> tuple[str, ...]:
    """The safras of a file: the partitions to run."""
    try:
        return task.landed or tuple(open_safras(task.path))
    except ErroDeCarga as erro:
        reject(task.path, erro, report)
        return ()


def reject(path: Path, erro: ErroDeCarga, report: Report) -> None:
    """Note in the ledger that a file cannot be read, and go on."""
    with closing(conexao.conectar()) as conn:
        registro.registrar_falha(conn, [None], arquivo=path.name, sha256=None, erro=str(erro))
    fail(report, Failure("read", str(path), str(erro), erro.codigo))


def fail(report: Report, failure: Failure) -> None:
    """Note a failure and say it at once."""
    report.failures.append(failure)
    SCREEN.print(f"[bold red]{failure.step:<9} failed:[/] {failure.subject}")
    SCREEN.print(f"          {failure.reason}", markup=False)
    if failure.logs:
        SCREEN.print(f"          logs: {failure.logs}", markup=False)


class Jobs:
    """Dagster's jobs, executed in this process on the instance that `make dev` opens."""

    def __init__(self, report: Report) -> None:
        """Load Dagster, the code location and the instance (the first time: parse dbt, 7 s)."""
        import warnings

        import dagster as dg

        warnings.filterwarnings("ignore", category=dg.BetaWarning)
        warnings.filterwarnings("ignore", category=dg.PreviewWarning)
        from dagster_pipeline.definitions import defs
        from dagster_pipeline.defs.resources import end_dead_runs

        self.definitions = defs()
        self.instance = dg.DagsterInstance.get()
        self.report = report
        with closing(conexao.conectar()) as conn:
            end_dead_runs(self.instance, conn)

    def run(self, job: str, *, subject: str, ops: dict[str, Any], safra: str | None = None) -> bool:
        """Execute a job; says each step, notes its failure.

        Args:
            job: its name.
            subject: what a person knows it by.
            ops: configuration by op, as ``{"raw_bdgd": {"arquivo": path}}``.
            safra: partition key.
        """
        from dagster_pipeline.defs.partitions import SAFRA

        if safra:
            self.instance.add_dynamic_partitions(SAFRA.name, [safra])
        run_id = _new_run_id()
        with SCREEN.status(f"{subject} …") as status, silence():
            self.instance.add_event_listener(run_id, Listener(self.report, subject, status))
            result = self.definitions.resolve_job_def(job).execute_in_process(
                instance=self.instance,
                run_id=run_id,
                partition_key=safra,
                run_config={
                    "ops": {op: {"config": config} for op, config in ops.items()},
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
                tags={"dagster/from": "make run"},
                raise_on_error=False,
            )
        if not result.success:
            fail(self.report, explain(result, subject))
        return result.success


@contextmanager
def silence() -> Iterator[None]:
    """Nothing on 1 and 2, of this process and of those it starts: Dagster's copies remain."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [(fd, os.dup(fd)) for fd in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for fd, _ in saved:
            os.dup2(nowhere, fd)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for fd, copy in saved:
            os.dup2(copy, fd)
            os.close(copy)
        os.close(nowhere)


def _new_run_id() -> str:
    from uuid import uuid4

    return str(uuid4())


@dataclass
class Listener:
    """Says what a run does, from the events that Dagster stores."""

    report: Report
    subject: str
    status: Any
    models: int = 0
    tests: int = 0
    rows: int = 0

    def __call__(self, entry: "dg.EventLogEntry") -> None:
        """Take one event."""
        event = entry.dagster_event
        if event is None:
            return
        kind = event.event_type_value
        if kind == "STEP_START":
            self.models = self.tests = self.rows = 0
        elif kind == "ASSET_MATERIALIZATION":
            self.models += 1
            found = event.materialization.metadata.get("dagster/partition_row_count")
            self.rows += found.value if found else 0
        elif kind == "ASSET_CHECK_EVALUATION":
            self.tests += 1
        elif kind == "STEP_SUCCESS":
            self._finished(event.step_key, event.step_success_data.duration_ms / 1000)
        if event.step_key:
            done = f"{self.models} tables, {self.tests} tests"
            self.status.update(f"{self.subject}: {event.step_key}, {done}")

    def _finished(self, step: str, seconds: float) -> None:
        phase = "check" if step.startswith("intel_lead__") else PHASES.get(step, "marts")
        self.report.seconds[phase] = self.report.seconds.get(phase, 0.0) + seconds
        if phase in ("build", "marts"):
            done = f"{self.models} tables and views, {self.tests} tests passed"
            say(phase, f"{self.subject}: {done}", seconds)
        elif step == "raw_bdgd":
            say(phase, f"{self.subject}: {self.rows:,} rows", seconds)


def explain(result: "dg.ExecuteInProcessResult", subject: str) -> Failure:
    """The first failure of a run, in a person's words."""
    home = os.environ["DAGSTER_HOME"]
    logs = f"{home}/storage/{result.run_id}/compute_logs; make dev, then /runs/{result.run_id}"
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            error, cause = data.error, data.error and data.error.cause
            described = data.user_failure_data and data.user_failure_data.description
            if error and error.cls_name == "DagsterExecutionInterruptedError":
                raise KeyboardInterrupt
            reason = described or (cause or error).message
            codes = {c.__name__: c.codigo for c in (EntradaInvalida, EntregaRetida, FalhaDeBanco)}
            code = codes.get(cause.cls_name if cause else "", 1)
            return Failure(event.step_key or "", subject, reason.strip()[-3000:], code, logs)
    return Failure("run", subject, "it did not start", 1, logs)


# What a person sees at the end --------------------------------------------------------------------


def layers(conn: psycopg.Connection, safra: Safra) -> list[tuple]:
    """Per layer: leads, energy rows, kWh, demand rows, located leads."""
    return conn.execute(
        """
        select
            l.origem::text,
            count(*),
            (select count(*) from intel_lead.lead_energia_mensal as e
             where (e.ano, e.distribuidora_id, e.origem) = (l.ano, l.distribuidora_id, l.origem)),
            (select coalesce(sum(e.energia_total), 0) from intel_lead.lead_energia_mensal as e
             where (e.ano, e.distribuidora_id, e.origem) = (l.ano, l.distribuidora_id, l.origem)),
            (select count(*) from intel_lead.lead_demanda_mensal as d
             where (d.ano, d.distribuidora_id, d.origem) = (l.ano, l.distribuidora_id, l.origem)),
            count(l.geom)
        from intel_lead.lead_com_coordenadas as l
        where l.ano = %s and l.distribuidora_id = %s
        group by l.ano, l.distribuidora_id, l.origem
        order by l.origem
        """,
        [safra.ano, safra.distribuidora_id],
    ).fetchall()


def show(conn: psycopg.Connection, key: str) -> None:
    """What is published of one safra."""
    safra = Safra.de_chave(key)
    place = {"ano": safra.ano, "dist": safra.distribuidora_id}
    where = "where ano = %(ano)s and distribuidora_id = %(dist)s"
    (name,) = conn.execute(
        "select nome from intel_lead.distribuidora where id = %(dist)s", place
    ).fetchone() or ("?",)
    historico, pontos, rejected = conn.execute(
        f"select (select count(*) from intel_lead.lead_historico {where}),"
        f" (select count(*) from intel_lead.ponto_notavel {where}),"
        f" (select count(*) from raw.rejeitado {where})",
        place,
    ).fetchone()
    table = Table(title=f"safra {key}, {name}", title_justify="left", box=None, pad_edge=False)
    for heading in ("layer", "leads", "energy rows", "energy kWh", "demand rows", "located"):
        table.add_column(heading, justify="left" if heading == "layer" else "right")
    for layer, leads, energy, kwh, demand, located in layers(conn, safra):
        counts = (f"{leads:,}", f"{energy:,}", f"{kwh:,.2f}", f"{demand:,}")
        table.add_row(layer, *counts, f"{located / leads:.1%}")
    SCREEN.print()
    SCREEN.print(table)
    SCREEN.print(
        f"lead_historico {historico:,}, ponto_notavel {pontos:,}, rejected lines {rejected:,}"
    )


def conclude(report: Report, keys: list[str]) -> None:
    """Counts, seconds, and what to open next."""
    with closing(conexao.conectar()) as conn:
        published = [key for key in sorted(keys) if is_published(conn, (key,))]
        for key in published:
            show(conn, key)
    SCREEN.print()
    if report.seconds:
        parts = ", ".join(f"{name} {took:.1f}" for name, took in report.seconds.items())
        SCREEN.print(f"seconds: {parts}")
    for failure in report.failures:
        SCREEN.print(f"[bold red]failed:[/] {failure.step}, {failure.subject}")
    if report.failures and not published:
        return
    SCREEN.print("next:  make dev    Dagster: lineage, runs, logs   http://localhost:3000")
    SCREEN.print("       make psql   SQL, for instance:")
    SCREEN.print("         " + QUERY.replace("\n", "\n         "), markup=False)
    SCREEN.print("       make docs   the data dictionary;   make -s db-url   for a BI tool")


# The whole ----------------------------------------------------------------------------------------


def choose(files: list[Path], conn: psycopg.Connection, report: Report) -> tuple[list[Task], bool]:
    """The files to deal with and whether the AICSS sample is wanted and missing."""
    if files:
        return tasks(files, conn, report), False
    if holds_real_data(conn):
        say("example", "left out: the warehouse holds data of yours")
        return [], False
    if not EXAMPLE.exists():
        make_example()
    return tasks([EXAMPLE], conn, report), not sample_is_landed(conn)


def execute(todo: list[Task], sample: bool, report: Report) -> list[str]:
    """Run what is needed; returns the keys of the safras that succeeded."""
    source = built_as()
    plan = [(task, safras) for task in todo if (safras := safras_of(task, report))]
    if todo and not plan:
        return []
    with report.phase("start"), SCREEN.status("starting Dagster …"):
        jobs = Jobs(report)
    say("dagster", "ready", report.seconds["start"])
    done = []
    for task, safras in plan:
        say("file", task.path.name)
        for key in safras:
            ops = {"raw_bdgd": {"arquivo": str(task.path.resolve())}}
            if jobs.run("safra", subject=f"safra {key}", ops=ops, safra=key):
                done.append(key)
    if done or not todo:
        ops = {"raw_aicss": {"caminhos": [str(SAMPLE)]}} if sample else {}
        all_done = len(done) == sum(len(safras) for _, safras in plan)
        if jobs.run("marts", subject="marts", ops=ops) and all_done:
            built_file().parent.mkdir(parents=True, exist_ok=True)
            built_file().write_text(source)
    return done


def work(files: list[Path]) -> int:
    """Everything; returns the exit code."""
    start, report = time.monotonic(), Report()
    with closing(conexao.conectar()) as conn:
        conexao.preparar(conn)
        found, sample = choose(files, conn, report)
    keys = [key for task in found for key in task.landed]
    todo = found if not is_current() else [task for task in found if not task.published]
    if todo or sample or not (is_current() or report.failures):
        keys += execute(todo, sample, report)
    elif not report.failures:
        say("nothing", "to do: every file is landed and published, nothing changed")
    conclude(report, list(set(keys)))
    say("whole", "", time.monotonic() - start)
    return max((failure.code for failure in report.failures), default=0)


def main(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="BDGD files or folders of them; none: a synthetic one is made"),
    ] = None,
) -> None:
    """Land BDGD files, build, test and publish them."""
    logging.getLogger("pyogrio").setLevel(logging.ERROR)
    try:
        code = work(files or [])
    except ErroDeCarga as erro:
        SCREEN.print(f"[bold red]failed:[/] {erro}")
        code = erro.codigo
    except KeyboardInterrupt:
        SCREEN.print("interrupted: nothing is half done; make run again goes on")
        code = INTERRUPTED
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what Dagster left half-read complains
    sys.exit(code)


if __name__ == "__main__":
    typer.run(main)
