"""``python -m loaders resultados``.

Belongs here: the command. Not here: reading (table.py), landing (landing.py).
"""

import logging
from pathlib import Path
from typing import Annotated

import typer

from loaders.errors import LoadError
from loaders.outcomes.landing import land, take_back

HELP = (
    "Aterrissa o resultado de propostas (CSV: distribuidora, cod_id ou cnpj, oferta, resultado"
    " ganho ou perdido, data), de que se aprendem os pesos do score."
)


def command(
    path: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, metavar="ARQUIVO.csv", help="o CSV")
    ],
    *,
    undo: Annotated[
        bool, typer.Option("--desfazer", help="Tira as linhas que este arquivo trouxe.")
    ] = False,
) -> None:
    """Land outcomes, or take a file's back."""
    try:
        (take_back if undo else land)(path)
    except LoadError as error:
        logging.error("%s", error)
        raise typer.Exit(error.code) from None
