"""The loaders' command line: ``python -m loaders``.

Belongs here: commands, options, exit codes. Not here: any work.
"""

import logging
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from loaders import usage
from loaders.errors import DatabaseFailure, LoadError
from loaders.safra import Safra

_FROM_OTHER_MODULES = {
    "aberto": "loaders.open_data.command",
    "aicss": "loaders.aicss.command",
    "aicss-mqtt": "loaders.aicss.mqtt_command",
    "buscar": "loaders.catalogue.fetch_command",
    "catalogo": "loaders.catalogue.command",
    "dispositivo": "loaders.aicss.device_command",
    "empresas": "loaders.companies.command",
    "enriquecimento": "loaders.companies.steps_command",
    "malha": "loaders.ibge.command",
    "resultados": "loaders.outcomes.command",
    "r": "loaders.exchange.command",
    "sintetico": "loaders.synthetic.command",
}
"""Commands imported when they are called: one's libraries cost the other a second."""


STATUS_WORDS = {"completed": "feita", "failed": "falhou", "running": "agora", "pending": "espera"}
"""``import_status.status`` in a person's word."""


class _Group(usage.Group):
    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer keeps its own click
        return [*super().list_commands(ctx), *_FROM_OTHER_MODULES]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        if cmd_name not in _FROM_OTHER_MODULES:
            return super().get_command(ctx, cmd_name)
        its_own = usage.App()
        module = import_module(_FROM_OTHER_MODULES[cmd_name])
        if hasattr(module, "app"):
            group = typer.main.get_command(module.app)
            group.name = cmd_name
            return group
        its_own.command(cmd_name, help=module.HELP)(module.command)
        return typer.main.get_command(its_own)


app = usage.App(cls=_Group, no_args_is_help=True)


@app.callback(
    help="Aterrissa arquivos no esquema raw. Saída: 0 feito, 2 uso, 3 arquivo ruim ou safra retida,"
    " 4 banco."
)
def main() -> None:
    """Land source files in schema raw. Exit: 0 done, 2 usage, 3 bad or held, 4 database."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("pyogrio").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@app.command(help="Cria os esquemas, tipos e tabelas que faltam no banco.")
def init() -> None:
    """Create schemas, enums, ledger and raw tables where they are missing."""
    from loaders.aicss import landing
    from loaders.connection import connect, prepare

    def create() -> None:
        with connect() as conn:
            prepare(conn, force=True)
            landing.prepare(conn)
            logging.info("esquema pronto em %s", conn.info.dbname)

    raise typer.Exit(_exit_code([create]))


def _read_safra(text: str) -> Safra:
    try:
        return Safra.from_key(text)
    except (ValueError, LoadError) as error:
        raise typer.BadParameter(str(error)) from error


def _check_that_they_exist(paths: list[Path]) -> list[Path]:
    """A typing mistake is a wrong use; a path without rights is a bad input, told later."""
    for path in paths:
        try:
            path.stat()
        except FileNotFoundError as error:
            raise typer.BadParameter(f"{path} não existe") from error
        except PermissionError:
            continue
    return paths


class Thousands(StrEnum):
    """Values of ``--milhar`` (loaders/bdgd/number_text.py)."""

    ponto = "ponto"
    virgula = "virgula"
    nao = "nao"


@app.command(
    help="Aterrissa arquivos da BDGD; cada um por inteiro ou nada, e um ruim não detém os outros."
)
def bdgd(
    paths: Annotated[
        list[Path],
        typer.Argument(
            callback=_check_that_they_exist,
            metavar="CAMINHO...",
            help=".gdb, o zip dele, u??t_pj.csv/.zip, ou uma pasta com eles dentro ou abaixo.",
        ),
    ],
    *,
    safra: Annotated[
        Safra | None,
        typer.Option(
            parser=_read_safra,
            metavar="401-2024",
            help="A safra de um arquivo sem BASE; de um CSV, a única a aterrissar.",
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--esperar", help="Espera outra carga da mesma safra.")
    ] = False,
    replace_layer: Annotated[
        bool,
        typer.Option(
            "--substituir",
            help="Deixa um CSV (só pessoas jurídicas) tomar o lugar da camada de um .gdb.",
        ),
    ] = False,
    complement: Annotated[
        bool,
        typer.Option(
            "--complemento",
            help="Põe um CSV _pj ao lado da geodatabase da mesma safra: só a coordenada e o"
            " endereço; nenhuma linha dela muda.",
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--forcar", help="Aterrissa de novo o que já está carregado.")
    ] = False,
    thousands: Annotated[
        Thousands | None,
        typer.Option(
            "--milhar",
            help="O que separa milhares onde a coluna de um CSV não diz: 12.345 é doze mil"
            " (ponto), 12,345 é (virgula), nenhum (nao).",
        ),
    ] = None,
    without: usage.Without = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Diz o que aterrissaria; não toca no banco.")
    ] = False,
) -> None:
    """Land BDGD files; each is all or nothing, and the next is tried when one fails."""
    from loaders.bdgd.landing import Options, steps_for

    if complement and replace_layer:
        raise typer.BadParameter(
            "ao lado ou no lugar da camada: escolha um", param_hint="--complemento, --substituir"
        )
    options = Options(
        safra=safra,
        wait=wait,
        replace_layer=replace_layer,
        complement=complement,
        force=force,
        thousands=thousands and thousands.value,
        without=frozenset(without or ()),
        progress=_bar,
    )
    all_steps = [step for path in paths for step in steps_for(path, options, dry_run=dry_run)]
    raise typer.Exit(_exit_code(all_steps))


@app.command(
    "liberar", help="Mostra por que uma safra está retida e a aceita como está, com o motivo."
)
def release(
    safra: Annotated[Safra, typer.Argument(parser=_read_safra, metavar="401-2025")],
    *,
    reason: Annotated[
        str,
        typer.Option(
            "--motivo", help="Por que ela está certa assim; fica guardado com o seu nome."
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Só mostra os achados que seriam liberados.")
    ] = False,
) -> None:
    """Accept a safra that the gate holds, for the findings that are shown and no others."""
    from loaders import ledger
    from loaders.connection import connect, prepare
    from loaders.errors import InvalidInput
    from loaders.gate import hold, verdict

    if not reason.strip():
        raise typer.BadParameter("escreva por que a safra está certa assim", param_hint="--motivo")

    def accept() -> None:
        with connect() as conn:
            prepare(conn)
            ledger.lock(conn, [safra], wait=False)
            if not hold.held_for(conn, safra):
                raise InvalidInput(f"safra {safra.key}: não está retida, nada a liberar")
            # The whole gate first: what is released is all that speaks against the safra.
            verdict.judge(conn, safra.key)
            for finding in hold.held_for(conn, safra):
                typer.echo(f"{finding.id}  {finding.text}")
            if not dry_run and hold.held_for(conn, safra):
                hold.release(conn, safra, reason.strip())

    raise typer.Exit(_exit_code([accept]))


@app.command(
    "julgar", help="Passa safras que aterrissaram pelo portão inteiro e mostra os achados."
)
def judge(
    safras: Annotated[
        list[Safra] | None,
        typer.Argument(
            parser=_read_safra, metavar="401-2024...", help="Sem nenhuma: todas as pendentes."
        ),
    ] = None,
) -> None:
    """Judge landed safras. Exit: 0 free to be built, 3 held or not landed, 4 database."""
    from loaders.connection import connect, prepare
    from loaders.gate import report, verdict

    def pending() -> None:
        with connect() as conn:
            prepare(conn)
            report.show_all(verdict.judge_pending(conn))

    def one(safra: Safra) -> None:
        with connect() as conn:
            prepare(conn)
            report.show_all([verdict.judge(conn, safra.key)])

    all_of_them = [partial(one, safra) for safra in safras or []] or [pending]
    raise typer.Exit(_exit_code(all_of_them))


@app.command(
    "remover",
    help="Tira uma safra de tudo o que os leitores veem; o registro fica, e o arquivo pode voltar.",
)
def remove(
    safra: Annotated[Safra, typer.Argument(parser=_read_safra, metavar="401-2024")],
    *,
    reason: Annotated[
        str,
        typer.Option(
            "--motivo", help="Por que ela sai; fica guardado com o seu nome em controle.auditoria."
        ),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Diz o que sairia; não muda nada.")
    ] = False,
) -> None:
    """Take a safra out of all that readers see; the ledger stays, its file can land again."""
    from loaders import ledger, removal
    from loaders.connection import connect, prepare

    if not dry_run and not reason.strip():
        raise typer.BadParameter("escreva por que a safra sai", param_hint="--motivo")

    def take_out() -> None:
        with connect() as conn:
            prepare(conn)
            if dry_run:
                typer.echo(f"sairia {removal.content(conn, safra)}; nada mudou")
                return
            ledger.lock(conn, [safra], wait=False)
            ledger.close_abandoned(conn, [safra])
            logging.warning("removida %s", removal.remove(conn, safra, reason.strip()))

    raise typer.Exit(_exit_code([take_out]))


@app.command(help="Mostra as últimas execuções do registro de importações.")
def status(
    how_many: Annotated[int, typer.Option("-n", help="Quantas execuções.")] = 20,
) -> None:
    """Show the latest executions of the import ledger."""
    from rich.console import Console
    from rich.table import Table

    from loaders.connection import connect, prepare
    from loaders.ledger import latest_executions

    def show() -> None:
        with connect() as conn:
            prepare(conn)
            table = Table(box=None, pad_edge=False)
            for title in ("id", "safra", "camada", "situação", "linhas", "rej.", "início"):
                table.add_column(title, no_wrap=True)
            table.add_column("arquivo; nota", ratio=1, overflow="fold")
            for (
                id_,
                safra,
                layer,
                status_word,
                rows,
                rej,
                start,
                file,
                note,
            ) in latest_executions(conn, how_many):
                when = start.astimezone().strftime("%d/%m %H:%M")
                counts = [STATUS_WORDS.get(status_word, status_word), str(rows), str(rej), when]
                text = f"{file}; {note}" if note else file
                table.add_row(str(id_), safra, layer or "", *counts, text)
            Console(width=max(80, shutil.get_terminal_size((80, 24)).columns)).print(table)

    raise typer.Exit(_exit_code([show]))


@contextmanager
def _bar(layer: str, rows: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(layer, total=rows)
        yield lambda step: progress.advance(task, step)


def _exit_code(actions: Iterable[Callable[[], object]]) -> int:
    """Run every step; the greatest exit code of those that failed."""
    import psycopg

    from loaders.connection import lost

    code = 0
    for action in actions:
        try:
            action()
        except LoadError as error:
            logging.error("%s", error)
            code = max(code, error.code)
        except psycopg.OperationalError as error:
            logging.error("%s", lost(error))
            code = max(code, DatabaseFailure.code)
    return code


if __name__ == "__main__":
    usage.run(app)
