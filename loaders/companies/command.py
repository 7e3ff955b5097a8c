"""``python -m loaders empresas``: a delivery of the CNPJ registry, from files that are there.

Belongs here: the command, a bar, a line on each delivery. Not here: landing (landing.py).
"""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import Annotated

import psycopg
import typer

from loaders.companies import addresses, delivery, landing, scope
from loaders.connection import connect, lost, prepare
from loaders.errors import DatabaseFailure, LoadError

HELP = (
    "Aterrissa o cadastro CNPJ da Receita Federal (Estabelecimentos, Empresas, Simples): só pessoas"
    " jurídicas, dos municípios e atividades dos leads."
)

log = logging.getLogger(__name__)


def command(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="CAMINHO...", exists=True, help="A pasta do mês, ou os zips ou CSVs dela."
        ),
    ],
    *,
    towns: Annotated[
        str,
        typer.Option(
            "--municipios",
            help="Códigos do IBGE, com vírgulas; sem a opção, os das safras que aterrissaram.",
        ),
    ] = "",
    month: Annotated[
        str,
        typer.Option("--mes", metavar="2026-06", help="O mês da entrega, se o nome não o diz."),
    ] = "",
    force: Annotated[
        bool, typer.Option("--forcar", help="Aceita uma entrega mais velha que a que está aqui.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Diz o que aterrissaria; não muda nada.")
    ] = False,
) -> None:
    """Land deliveries of the registry, oldest first."""
    asked, begun = _codes(towns), _month(month)
    try:
        found = delivery.find(paths, begun)
        with closing(connect()) as conn:
            prepare(conn)
            wanted = scope.of_leads(conn, asked)
            for one in found:
                _land(conn, one, wanted, force=force, dry_run=dry_run)
            if not dry_run:
                addresses.compare(conn, say=log.info)
    except LoadError as error:
        log.error("%s", error)
        raise typer.Exit(error.code) from None
    except psycopg.OperationalError as error:
        log.error("%s", lost(error))
        raise typer.Exit(DatabaseFailure.code) from None


def _land(
    conn: psycopg.Connection,
    one: delivery.Delivery,
    wanted: scope.Scope,
    *,
    force: bool,
    dry_run: bool,
) -> None:
    name, start = f"entrega {one.month:%Y-%m}", monotonic()
    if dry_run:
        size = sum(part.size for part in one.parts) / 2**20
        log.info(
            "%s: aterrissariam %d arquivos (%.0f MB de texto), filtrados por %d municípios e %s;"
            " nada mudou",
            *(name, len(one.parts), size, len(wanted.municipios)),
            f"{len(wanted.classes)} classes de CNAE" if wanted.classes else "todas as atividades",
        )
        return
    counts = landing.land(conn, one, wanted, force=force, bar=_bar)
    if counts is None:
        log.info("%s: já carregada, nada mudou", name)
        return
    log.info(
        "%s: %d linhas: %d estabelecimentos aterrissados, %d fora do filtro, %d de pessoas (MEI,"
        " empresário individual; não ficam), %d rejeitadas; %.1f s. make build acha os candidatos",
        *(name, counts.lines, counts.landed, counts.outside, counts.persons),
        *(counts.rejected, monotonic() - start),
    )
    if unknown := sorted(counts.unknown_towns - {"9707"}):
        log.warning(
            "%s: códigos de município que a semente municipio_tom não tem: %s",
            *(name, ", ".join(unknown[:10])),
        )


def _codes(text: str) -> list[int]:
    parts = text.replace(",", " ").split()
    if not all(part.isdigit() for part in parts):
        raise typer.BadParameter(
            "escreva códigos do IBGE, como 4309803,4316733", param_hint="--municipios"
        )
    return [int(part) for part in parts]


def _month(text: str) -> delivery.date | None:
    if not text:
        return None
    try:
        return delivery.date.fromisoformat(f"{text}-01")
    except ValueError:
        raise typer.BadParameter("escreva como 2026-06", param_hint="--mes") from None


@contextmanager
def _bar(name: str, size: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=size)
        yield lambda step: progress.advance(task, step)
