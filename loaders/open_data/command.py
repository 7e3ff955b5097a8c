"""``python -m loaders aberto``.

Belongs here: the command, the list that it shows. Not here: landing (landing.py), fetching.
"""

import logging
import shutil
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from loaders.bdgd import zip_archive
from loaders.connection import connect, lost, prepare
from loaders.errors import DatabaseFailure, LoadError
from loaders.open_data import sources
from loaders.open_data.client import Client
from loaders.open_data.dataset import Dataset
from loaders.open_data.landing import Delivery, date_of, land, landed_rows
from loaders.open_data.registry import DATASETS

HELP = (
    "Aterrissa um conjunto de dados abertos (ANEEL, IBGE, CCEE, INMET), da internet ou de um"
    " arquivo que você baixou; sem conjunto, mostra a lista."
)


def _read_dataset(text: str) -> str:
    if text not in DATASETS:
        raise typer.BadParameter(f"{text!r} não é um de {', '.join(DATASETS)}")
    return text


def command(
    dataset: Annotated[
        str | None,
        typer.Argument(
            metavar="CONJUNTO", callback=lambda t: t and _read_dataset(t), help="Um da lista."
        ),
    ] = None,
    *,
    file: Annotated[
        Path | None,
        typer.Option(
            "--arquivo",
            exists=True,
            dir_okay=False,
            metavar="ARQUIVO",
            help="Um arquivo que você baixou (.csv, .zip, .gz ou a resposta .json).",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--forcar", help="Aterrissa de novo o que já está, ou um arquivo bem menor que ele."
        ),
    ] = False,
    since: Annotated[
        int | None,
        typer.Option(
            "--desde",
            min=1990,
            max=2100,
            metavar="ANO",
            help="Das fontes com um arquivo por ano, o primeiro a buscar; sem isto, o ano passado.",
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            "--endereco", metavar="URL", help="Outro endereço da fonte: um espelho do portal."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Diz o que aterrissaria; não muda nada.")
    ] = False,
) -> None:
    """Land a dataset of open data, or list them."""
    last_year = date.today().year - 1  # noqa: DTZ011
    options = _Options(file, since or last_year, force, dry_run)
    try:
        with closing(connect()) as conn:
            prepare(conn)
            if dataset is None:
                _show(conn)
                return
            code = _land(conn, _located(DATASETS[dataset], address), options)
    except LoadError as error:
        logging.error("%s", error)
        code = error.code
    except psycopg.OperationalError as error:
        logging.error("%s", lost(error))
        code = DatabaseFailure.code
    if code:
        raise typer.Exit(code)


@dataclass(frozen=True)
class _Options:
    """What a person typed."""

    file: Path | None
    since: int
    force: bool
    dry_run: bool


def _located(dataset: Dataset, address: str | None) -> Dataset:
    if address is None or dataset.origin is None:
        return dataset
    return replace(dataset, origin=replace(dataset.origin, base=address.rstrip("/")))


def _land(conn: psycopg.Connection, dataset: Dataset, options: _Options) -> int:
    """Land a file, or all that the source has; the greatest exit code."""
    if options.file is not None:
        return _say(conn, dataset, Delivery(options.file, options.file.name), options)
    code, count = 0, 0
    with zip_archive.temporary_folder() as folder:
        for delivery in sources.fetch(
            dataset,
            Client(),
            folder,
            years=range(options.since, date.today().year + 1),  # noqa: DTZ011
            known=lambda url: None if options.force else date_of(conn, dataset, url),
        ):
            count += 1
            code = max(code, _say(conn, dataset, delivery, options))
    if not count:
        typer.echo(f"{dataset.id}: a fonte não tem nada de novo")
    return code


def _say(conn: psycopg.Connection, dataset: Dataset, delivery: Delivery, options: _Options) -> int:
    try:
        result = land(conn, dataset, delivery, force=options.force, dry_run=options.dry_run)
    except LoadError as error:
        logging.error("%s", error)
        return error.code
    typer.echo(str(result))
    return 0


def _show(conn: psycopg.Connection) -> None:
    from rich.console import Console
    from rich.table import Table

    newest = {
        row[0]: row[1:]
        for row in conn.execute(
            "select distinct on (conjunto) conjunto, aterrissado_em, inventado"
            " from controle.aberto_arquivo order by conjunto, arquivo_id desc"
        )
    }
    table = Table(box=None, pad_edge=False)
    for title in ("conjunto", "linhas", "desde"):
        table.add_column(title, no_wrap=True)
    for title in ("o que é", "licença"):
        table.add_column(title, overflow="fold")
    for dataset in DATASETS.values():
        when, made_up = newest.get(dataset.id, (None, False))
        rows = "inventado" if made_up else str(landed_rows(conn, dataset) or "")
        day = when.astimezone().strftime("%d/%m/%Y") if when else "ainda não"
        what = f"{dataset.title} ({dataset.publisher})"
        table.add_row(dataset.id, rows, day, what, dataset.licence)
    Console(width=max(80, shutil.get_terminal_size((80, 24)).columns)).print(table)
