"""What ``make run`` and ``make build`` execute: the batch, as a run of Dagster's in this process.

Belongs here: which files, whether there is anything to do, exit codes. Not here: the work
(batch.py), what a person sees (screen.py), what Dagster is told (defs/safras.py). Dagster and dbt
are imported only if there is work. ``python -m dagster_pipeline.run [FILE...]``; exit 0 done, 1 a
safra is not published, 2 usage, 3 input, 4 database, 130 interrupted.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import psycopg
import typer
from rich.markup import escape

from dagster_pipeline import manifest, page, seeds
from dagster_pipeline.screen import SCREEN, Listener, say, show, silence
from forecasting import series
from loaders import connection as db
from loaders import ledger, removal, usage
from loaders.bdgd import files as bdgd_files
from loaders.errors import DatabaseFailure, InvalidInput, LoadError
from loaders.figures import number
from loaders.gate import hold
from loaders.safra import Safra, listed

if TYPE_CHECKING:
    import dagster as dg

EXAMPLE = manifest.CLONE / ".local" / "exemplo" / removal.EXAMPLE_FILE

USAGE = 2
SHOWN = 5
"""Safras whose tables are shown at the end; of more, `make status` tells."""

QUERY = """select s.posicao, l.cod_id, l.municipio, s.score, s.motivo_1
  from marts.mart_lead_score as s
  inner join marts.mart_lead as l using (uc_id, ano, distribuidora_id)
  where s.oferta = 'migracao' order by s.posicao limit 10;"""


@dataclass
class Report:
    """What went wrong before the batch began: the greatest exit code."""

    code: int = 0

    def fail(self, subject: object, reason: str, code: int) -> None:
        """Note a failure and say it at once."""
        self.code = max(self.code, code)
        SCREEN.print("[bold red]falhou[/]   ", end="")
        SCREEN.print(reason if str(subject) in reason else f"{subject}: {reason}", markup=False)


@dataclass(frozen=True)
class Task:
    """One file, and the safras that the ledger says it is already the content of."""

    path: Path
    sha256: str
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


def examine(conn: psycopg.Connection, path: Path, *, complement: bool = False) -> Task:
    """What the ledger knows of a file's content.

    Raises:
        InvalidInput: it cannot be read.
    """
    sha256 = bdgd_files.sha256_of(path)
    landed = ledger.already_landed(conn, sha256, None, complement=complement)
    return Task(path, sha256, tuple(landed), bool(landed) and is_published(conn, landed))


def sample_is_landed(conn: psycopg.Connection) -> bool:
    """Whether the AICSS sample's readings are all there."""
    if conn.execute("select to_regclass('controle.aicss_arquivo') is null").fetchone()[0]:
        return False
    hashes = removal.sample_hashes()
    found = conn.execute(
        "select count(distinct sha256) from controle.aicss_arquivo where sha256 = any(%s)",
        [hashes],
    ).fetchone()
    return found[0] == len(hashes)


# Files --------------------------------------------------------------------------------------------


def make_example() -> None:
    """Make the synthetic geodatabase; kept, so that the next run meets the same content."""
    from loaders.synthetic import recipe, writer

    start = time.monotonic()
    made = writer.write(
        recipe.Recipe(
            distribuidora=removal.EXAMPLE.distribuidora_id,
            ano=removal.EXAMPLE.ano,
            faults=recipe.USUAL,
        ),
        EXAMPLE,
    )
    rows = ", ".join(f"{number(n)} {layer}" for layer, n in made.rows.items() if n > 1)
    say("exemplo", f"{EXAMPLE.name}, geodatabase sintética: {rows}", time.monotonic() - start)


def tasks(
    files: list[Path], conn: psycopg.Connection, report: Report, *, complement: bool = False
) -> list[Task]:
    """The files that are asked for; an unreadable one is a failure and holds back no other."""
    found = []
    for given in files:
        if not given.exists():
            report.fail(given, "não existe", USAGE)
            continue
        try:
            paths = bdgd_files.find(given, passed_over=pass_over)
        except InvalidInput as error:
            reject(conn, given, error, report)
            continue
        for path in paths:
            try:
                task = examine(conn, path, complement=complement)
            except InvalidInput as error:
                reject(conn, path, error, report)
                continue
            found.append(task)
            if task.landed:
                say("já está", f"{path.name}, em {listed(list(task.landed))}")
    return found


def pass_over(_: Path, reason: str) -> None:
    """Say that a file of a folder is none to land, and why."""
    say("de lado", escape(reason))


def reject(conn: psycopg.Connection, path: Path, error: LoadError, report: Report) -> None:
    """Note in the ledger that a file cannot be read, and go on."""
    ledger.record_failure(conn, [None], file=path.name, sha256=None, error=str(error))
    report.fail(path, str(error), error.code)


# The run ------------------------------------------------------------------------------------------


def execute(
    files: list[Path],
    *,
    readings: list[Path],
    keys: list[str],
    complement: bool = False,
    without: Collection[str] = (),
) -> int:
    """One run of job ``lote``; returns its exit code."""
    config = {
        "arquivos": [str(path.resolve()) for path in files],
        "aicss": [str(path) for path in readings],
        "safras": keys,
        "complemento": complement,
        "sem_camada": sorted(without),
    }
    return run_job("lote", "carregar_e_publicar", config)


def run_job(name: str, op: str, config: Mapping[str, object]) -> int:
    """A run of a job in this process, as the page has any other; returns its exit code."""
    start = time.monotonic()
    with SCREEN.status("iniciando o Dagster …"), silence():
        import dagster as dg

        from dagster_pipeline import batch
        from dagster_pipeline.definitions import defs
        from dagster_pipeline.defs.resources import end_dead_runs

        job = defs().resolve_job_def(name)
        instance = dg.DagsterInstance.get()
        with closing(db.connect()) as conn:
            end_dead_runs(instance, conn)
    say("dagster", "pronto", time.monotonic() - start)
    with SCREEN.status("…") as status, silence():
        batch.PROGRESS.set(lambda text: status.update(text))
        events = page.run_in_process(
            job,
            instance,
            {
                "ops": {op: {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            listener=Listener(),
        )
    return _code_of(events, instance)


def _code_of(events: "list[dg.DagsterEvent]", instance: "dg.DagsterInstance") -> int:
    """The exit code of a run that has ended; what it did not say itself is said here."""
    for event in events:
        if event.event_type_value == "PIPELINE_CANCELED":
            raise KeyboardInterrupt
        if not event.is_step_failure:
            continue
        data = event.step_failure_data
        if data.error and data.error.cls_name == "DagsterExecutionInterruptedError":
            raise KeyboardInterrupt
        told = data.user_failure_data
        if told and "codigo" in told.metadata:
            if told.metadata["codigo"].value == 1:
                _say_problem(told.description or "")
            return told.metadata["codigo"].value
        error = (data.error.cause or data.error) if data.error else None
        SCREEN.print("[bold red]falhou[/]   ", end="")
        SCREEN.print(error.message.strip()[-3000:] if error else "", markup=False)
        logs = f"{os.environ['DAGSTER_HOME']}/storage"
        SCREEN.print(f"         registros: {logs}; make dev mostra a execução", markup=False)
        return 1
    return int(not any(event.event_type_value == "PIPELINE_SUCCESS" for event in events))


def _say_problem(text: str) -> None:
    """What no line of the batch has said: that nothing was published, and why."""
    for line in text.splitlines():
        if not line.startswith(("safra ", "arquivo ")):
            SCREEN.print(f"         {line}", markup=False)


# What a person sees at the end --------------------------------------------------------------------


def conclude(keys: Collection[str], code: int) -> None:
    """Counts, and what to open next."""
    with closing(db.connect()) as conn:
        shown = [key for key in sorted(keys) if is_published(conn, (key,))]
        for key in shown[:SHOWN]:
            show(conn, key)
        if len(shown) > SHOWN:
            SCREEN.print(f"\ne mais {len(shown) - SHOWN} safras publicadas: make status")
    if code and not shown:
        return
    SCREEN.print()
    address = page.address()
    at = f"   {address}" if address else ""
    SCREEN.print("a seguir: make status  o que há, o que falta")
    SCREEN.print("          make painel  o painel no navegador: docs/painel.md diz como se entra")
    SCREEN.print(f"          make dev     o Dagster: linhagem, execuções{at}")
    SCREEN.print("          make docs    o dicionário de dados;  make -s db-url  para um BI")
    SCREEN.print("          make psql    SQL, por exemplo (docs/como_ler_um_lead.md o explica):")
    SCREEN.print("            " + QUERY.replace("\n", "\n            "), markup=False)


# The whole ----------------------------------------------------------------------------------------


def choose(
    files: list[Path], conn: psycopg.Connection, report: Report, *, complement: bool = False
) -> tuple[list[Task], bool]:
    """The files to deal with and whether the AICSS sample is wanted and missing."""
    if files:
        return tasks(files, conn, report, complement=complement), False
    if removal.holds_real_data(conn):
        say("exemplo", "fica de fora: o armazém já tem dados seus")
        return [], False
    from loaders.open_data.landing import land_example

    if not EXAMPLE.exists():
        make_example()
    for result in land_example(conn):
        say("exemplo", f"{result}; inventado")
    return tasks([EXAMPLE], conn, report), not sample_is_landed(conn)


def work(files: list[Path], *, complement: bool = False, without: Collection[str] = ()) -> int:
    """Everything that `make run` does; returns the exit code."""
    start, report = time.monotonic(), Report()
    seeds.refuse()
    manifest.prepare_ahead()
    with closing(db.connect()) as conn:
        db.prepare(conn)
        found, sample = choose(files, conn, report, complement=complement)
        # A run that was killed after it had published.
        behind = bool(series.pending(conn, date.today()))
        current = manifest.is_current(ledger.open_data(conn))
    whole_list = [task for task in found if not task.published] if current else found
    code = report.code
    if whole_list or sample or behind or not (current or report.code or files):
        readings = [removal.SAMPLE] if sample else []
        paths = [task.path for task in whole_list]
        done = execute(paths, readings=readings, keys=[], complement=complement, without=without)
        code = max(code, done)
    elif not code:
        say("nada", "a fazer: todo arquivo está publicado, e nada mudou")
    with closing(db.connect()) as conn:
        keys = {
            key
            for x in found
            for key in ledger.already_landed(conn, x.sha256, None, complement=complement)
        }
        notes = ledger.complements(conn, [x.sha256 for x in found]) if complement else []
    for key, note in notes:
        say("ao lado", f"safra {key}: {escape(note)}")
    conclude(keys, code)
    say("ao todo", "", time.monotonic() - start)
    return code


def build(keys: list[str]) -> int:
    """Everything that `make build` does: what is landed and pending, or the safras that are named.

    Raises:
        typer.BadParameter: that is no safra.
        InvalidInput: a safra is not landed, or held; or a seed is wrong.
    """
    try:
        keys = [Safra.from_key(key).key for key in keys]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    start = time.monotonic()
    seeds.refuse()
    manifest.prepare_ahead()
    with closing(db.connect()) as conn:
        db.prepare(conn)
        hold.refuse(conn, keys)
    code = execute([], readings=[], keys=keys)
    say("ao todo", "", time.monotonic() - start)
    return code


def end(work: Callable[[], int]) -> NoReturn:
    """Do it and end the process: what stops it is one line, with its exit code."""
    try:
        code = work()
    except LoadError as error:
        SCREEN.print("[bold red]falhou[/]   ", end="")
        SCREEN.print(str(error), markup=False)
        code = error.code
    except psycopg.OperationalError as error:
        SCREEN.print("[bold red]falhou[/]   ", end="")
        SCREEN.print(str(db.lost(error)), markup=False)
        code = DatabaseFailure.code
    except KeyboardInterrupt:
        SCREEN.print("interrompido: nada ficou pela metade; o mesmo comando continua de onde parou")
        code = usage.INTERRUPTED
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what Dagster left half-read complains
    sys.exit(code)


def main(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ARQUIVO...]",
            help="arquivos da BDGD ou pastas deles; nenhum: faz-se um exemplo sintético",
        ),
    ] = None,
    *,
    build_only: Annotated[
        bool, typer.Option("--construir", help="só construir; os argumentos são safras")
    ] = False,
    complement: Annotated[
        bool,
        typer.Option("--complemento", help="os CSV _pj ficam ao lado da geodatabase da safra"),
    ] = False,
    without: usage.Without = None,
) -> None:
    """Aterrissa arquivos da BDGD, constrói, testa e publica."""
    logging.getLogger("pyogrio").setLevel(logging.ERROR)
    given = arguments or []
    if complement and (build_only or not given):
        raise typer.BadParameter("quais CSV _pj?", param_hint="--complemento")
    if build_only:
        end(lambda: build(given))
    files = [Path(name) for name in given]
    end(lambda: work(files, complement=complement, without=without or ()))


if __name__ == "__main__":
    app = usage.App()
    app.command()(main)
    usage.run(app)
