"""``python -m loaders sintetico``.

Belongs here: the command. Not here: what it makes (recipe.py, writer.py).
"""

from pathlib import Path
from typing import Annotated

import typer

from loaders.synthetic.recipe import USUAL, Fault, Model, Recipe
from loaders.synthetic.writer import write

HELP = "Faz uma geodatabase da BDGD inventada."


def command(
    target: Annotated[
        Path, typer.Argument(help="x.gdb ou x.gdb.zip, que ainda não existe", metavar="DESTINO")
    ],
    ucs: Annotated[int, typer.Option(help="unidades consumidoras da safra de 2024")] = Recipe.ucs,
    ano: Annotated[int, typer.Option(help="ano da safra")] = Recipe.ano,
    distribuidora: Annotated[int, typer.Option(help="código da ANEEL")] = Recipe.distribuidora,
    seed: Annotated[
        int, typer.Option("--semente", help="mesma semente, mesmo conteúdo")
    ] = Recipe.seed,
    model: Annotated[
        Model, typer.Option("--modelo", help="modelo de dados da ANEEL")
    ] = Recipe.model,
    fault: Annotated[
        list[Fault] | None,
        typer.Option(
            "--defeito", help="defeito a plantar, repetível; sem nenhum: a mistura de costume"
        ),
    ] = None,
    clean: Annotated[bool, typer.Option("--limpo", help="sem nenhum defeito")] = False,
    anomalias: Annotated[
        bool,
        typer.Option(
            "--anomalias", help="planta anomalias de cada tipo e as lista em DESTINO.anomalias.csv"
        ),
    ] = False,
) -> None:
    """Make a synthetic BDGD geodatabase."""
    try:
        recipe = Recipe(
            ucs=ucs,
            seed=seed,
            distribuidora=distribuidora,
            ano=ano,
            model=model,
            faults=frozenset(fault or (() if clean else USUAL)),
            anomalias=anomalias,
        )
        summary = write(recipe, target)
    except (ValueError, FileExistsError) as error:
        raise typer.BadParameter(str(error)) from error
    rows = ", ".join(f"{layer} {n}" for layer, n in summary.rows.items())
    typer.echo(f"{summary.file}: {rows}; {sum(k.sum() for k in summary.kwh.values()):.2f} kWh")
