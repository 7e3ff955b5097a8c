"""``python -m loaders buscar``.

Belongs here: the command. Not here: fetching (archive.py), the plan (wanted.py), landing.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Annotated

import psycopg
import typer

from loaders import usage
from loaders.catalogue import errand, hub, wanted
from loaders.connection import connect, lost, prepare
from loaders.errors import DatabaseFailure, InvalidInput, LoadError
from loaders.figures import number
from loaders.open_data.client import Client

HELP = (
    "Busca bases da BDGD na ANEEL e as guarda no arquivo (data/arquivo), conferidas; não as"
    " aterrissa: make backfill SAFRAS=… faz tudo."
)


def command(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[401|401-2024|ucmt_pj|TODAS]...",
            help="Distribuidoras, safras, CSV _pj, ids de itens, ou TODAS.",
        ),
    ] = None,
    *,
    followed: Annotated[
        bool, typer.Option("--seguidas", help="O que INTEL_SEGUIR diz (401,86 ou TODAS).")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Diz o que buscaria e quantos bytes; não busca nada.")
    ] = False,
) -> None:
    """Fetch into the archive. Exit: 0 done, 2 usage, 3 something did not come, 4 database."""
    if bool(what) == followed:
        raise typer.BadParameter("diga quais (401-2024, TODAS), ou --seguidas")
    named, code = usage.read_vintages(what or ()), 0
    try:
        asked = wanted.followed() if followed else named
        with closing(connect()) as conn:
            prepare(conn)
            code = _run(conn, Client(remedy=hub.REMEDY), asked, dry_run=dry_run)
    except LoadError as error:
        logging.error("%s", error)
        code = error.code
    except psycopg.OperationalError as error:
        logging.error("%s", lost(error))
        code = DatabaseFailure.code
    if code:
        raise typer.Exit(code)


def _run(conn: psycopg.Connection, client: Client, asked: wanted.Wanted, *, dry_run: bool) -> int:
    """Fetch what is to be fetched; the greatest exit code."""
    for failure in errand.refresh_for(conn, client, asked):
        logging.warning("%s", failure)
    made = wanted.plan(conn, asked)
    for word in made.unknown:
        logging.error("%s: não está no catálogo: python -m loaders catalogo", word)
    everything = [*made.tasks, *made.rest]
    tasks = [task for task in everything if task.lacks_copy]
    for task in everything:
        if task not in tasks:
            copy = "; já está no arquivo" if task.item and task.item.sha256 else ""
            typer.echo(f"{task.key}: {task.said}{copy}")
    total = number(sum(task.bytes for task in tasks) / 2**20, 1)
    typer.echo(f"a buscar: {len(tasks)}, {total} MB")
    codes = [_one(conn, client, task, dry_run=dry_run) for task in tasks]
    return max([*codes, InvalidInput.code if made.unknown else 0])


def _one(conn: psycopg.Connection, client: Client, task: wanted.Task, *, dry_run: bool) -> int:
    assert task.item is not None
    if dry_run:
        typer.echo(f"{task.key}: buscaria {task.item.title}, {number(task.bytes / 2**20, 1)} MB")
        return 0
    try:
        copy = errand.fetch(conn, client, task.item, _bar)
    except LoadError as error:
        logging.error("%s: %s", task.key, error)
        return error.code
    typer.echo(f"{task.key}: {copy.named.parent / copy.path.name} ({copy.named.name})")
    return 0


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
        task = progress.add_task(name, total=size or None)
        yield lambda step: progress.advance(task, step)
