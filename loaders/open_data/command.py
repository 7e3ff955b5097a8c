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
from loaders.open_data.errand import Errand, run
from loaders.open_data.landing import landed_rows
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
    try:
        with closing(connect()) as conn:
            prepare(conn)
            if dataset is None:
                _show(conn)
                return
            errand = Errand(file, since, force, address, dry_run)
            code = _run(conn, DATASETS[dataset], errand)
    except LoadError as error:
        logging.error("%s", error)
        code = error.code
    except psycopg.OperationalError as error:
        logging.error("%s", lost(error))
        code = DatabaseFailure.code
    if code:
        raise typer.Exit(code)


def _run(conn: psycopg.Connection, dataset: Dataset, errand: Errand) -> int:
    """Say what became of each file; the greatest exit code."""
    codes, landed = [], 0
    for outcome in run(conn, dataset, errand):
        if isinstance(outcome, LoadError):
            logging.error("%s", outcome)
            codes.append(outcome.code)
        else:
            typer.echo(str(outcome))
            codes.append(0)
            landed += not (outcome.there_already or errand.dry_run)
    if not codes:
        typer.echo(f"{dataset.id}: a fonte não tem nada de novo")
    if landed:
        typer.echo("make build leva às tabelas o que aterrissou")
    return max(codes, default=0)


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
