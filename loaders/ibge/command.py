"""``python -m loaders malha``.

Belongs here: the command. Not here: reading (mesh.py), landing (landing.py).
"""

import logging
from pathlib import Path
from typing import Annotated

import typer

from loaders.errors import LoadError
from loaders.ibge.landing import land

HELP = "Aterrissa a malha de municípios do IBGE: .geojson, .gpkg, .shp ou o zip de um deles."


def command(
    path: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, metavar="ARQUIVO", help="a malha")
    ],
) -> None:
    """Land a mesh of municípios."""
    try:
        land(path)
    except LoadError as error:
        logging.error("%s", error)
        raise typer.Exit(error.code) from None
