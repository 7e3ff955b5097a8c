"""``python -m loaders aberto``.

Belongs here: the command, the list that it shows. Not here: landing (landing.py), fetching.
"""

import logging
import shutil
from contextlib import closing
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from loaders.connection import connect, lost, prepare
from loaders.errors import DatabaseFailure, LoadError
from loaders.open_data.dataset import Dataset
from loaders.open_data.landing import Delivery, land, landed_rows
from loaders.open_data.registry import DATASETS

HELP = (
    "Aterrissa um conjunto de dados abertos (ANEEL, IBGE, CCEE, INMET), da internet ou de um arquivo"
    " que você baixou; sem conjunto, mostra a lista."
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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Diz o que aterrissaria; não muda nada.")
    ] = False,
) -> None:
    """Land a dataset of open data, or list them."""
    try:
        with closing(connect()) as conn:
            prepare(conn)
            if dataset is None:
                _show(conn)
                return
            _land(conn, DATASETS[dataset], file, force=force, dry_run=dry_run)
    except LoadError as error:
        logging.error("%s", error)
        raise typer.Exit(error.code) from None
    except psycopg.OperationalError as error:
        logging.error("%s", lost(error))
        raise typer.Exit(DatabaseFailure.code) from None


def _land(
    conn: psycopg.Connection, dataset: Dataset, file: Path | None, *, force: bool, dry_run: bool
) -> None:
    if file is None:
        raise NotImplementedError
    delivery = Delivery(file, file.name)
    typer.echo(str(land(conn, dataset, delivery, force=force, dry_run=dry_run)))


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
