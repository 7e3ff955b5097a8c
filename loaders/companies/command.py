"""``python -m loaders empresas``: a delivery of the CNPJ registry, from files or the share.

Belongs here: the command, a bar, a line on each delivery. Not here: landing (landing.py), what
the Receita's share has (download.py).
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

from loaders.companies import addresses, delivery, download, landing, scope
from loaders.connection import connect, lost, prepare
from loaders.errors import DatabaseFailure, LoadError

HELP = (
    "Aterrissa o cadastro CNPJ da Receita Federal (Estabelecimentos, Empresas, Simples): só pessoas"
    " jurídicas, dos municípios e atividades dos leads."
)

log = logging.getLogger(__name__)


def command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[CAMINHO]...", exists=True, help="A pasta do mês, ou os zips ou CSVs dela."
        ),
    ] = None,
    *,
    asked: Annotated[
        str,
        typer.Option(
            "--baixar",
            metavar="2026-06|ultimo",
            help="Baixa o mês da Receita Federal, uns 5 GB, para .local/empresas (ou"
            " INTEL_EMPRESAS) e o aterrissa; interrompido, continua de onde parou.",
        ),
    ] = "",
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
    if bool(paths) == bool(asked):
        raise typer.BadParameter(
            "diga a pasta do mês, ou --baixar 2026-06 (ultimo: o mais novo)", param_hint="CAMINHO"
        )
    codes, begun = _codes(towns), _month(month)
    if asked != download.NEWEST:
        _month(asked, "--baixar")
    try:
        if asked:
            fetched = _download(asked, dry_run=dry_run)
            if fetched is None:
                return
            paths = [fetched]
        found = delivery.find(paths or [], begun)
        with closing(connect()) as conn:
            prepare(conn)
            wanted = scope.of_leads(conn, codes)
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


def _download(asked: str, *, dry_run: bool) -> Path | None:
    """The folder that has the month whole; None where nothing was to be done but to say what."""
    share, into = download.Share(), download.folder()
    month = share.month(asked)
    if not dry_run:
        return share.fetch(month, into, _bar)
    parts = share.parts(month)
    lacking = download.missing(parts, into / month)
    log.info(
        "entrega %s: baixaria %d de %d arquivos (%.1f GB) para %s; nada mudou",
        *(month, len(lacking), len(parts), sum(r.size for r in lacking) / 2**30, into / month),
    )
    return None


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


def _month(text: str, option: str = "--mes") -> delivery.date | None:
    if not text:
        return None
    try:
        return delivery.date.fromisoformat(f"{text}-01")
    except ValueError:
        raise typer.BadParameter("escreva como 2026-06", param_hint=option) from None


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
