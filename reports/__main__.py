"""``python -m reports [401-2024 …] [--periodo diario] [--municipio 4320909]``.

Belongs here: the command, its words and exit codes. Not here: what it does.
Exit: 0 made, 1 a PDF could not be written, 2 usage, 3 no such safra is published, or it has not
what is chosen, 4 database.
"""

import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from loaders import connection as db
from loaders import usage
from loaders.environment import CLONE
from loaders.errors import LoadError
from reports import pdf
from reports.choice import Choice, Offer, Section
from reports.make import make
from reports.period import ZONE, Kind

app = usage.App()


@app.command(
    help="Relatórios em HTML e PDF das safras publicadas (docs/relatorios.md)."
    " Saída: 0 feito, 1 sem PDF, 2 uso, 3 não há tal safra ou parte dela, 4 banco."
)
def report(
    keys: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[401-2024]...", help="Estas safras; sem elas, a mais nova de cada uma."
        ),
    ] = None,
    *,
    kind: Annotated[
        Kind, typer.Option("--periodo", help="A safra, ou o que mudou nos dias que acabaram.")
    ] = Kind.SAFRA,
    places: Annotated[
        list[int] | None,
        typer.Option("--municipio", help="Só este município (código do IBGE). Repetível."),
    ] = None,
    offers: Annotated[
        list[Offer] | None, typer.Option("--oferta", help="Só leads desta oferta. Repetível.")
    ] = None,
    sections: Annotated[
        list[Section] | None, typer.Option("--secao", help="Só esta seção. Repetível.")
    ] = None,
    title: Annotated[str, typer.Option("--titulo", help="O que se lê no alto da página.")] = "",
    folder: Annotated[
        Path, typer.Option("--saida", file_okay=False, help="Pasta dos relatórios.")
    ] = Path(CLONE) / "relatorios",
    generated_at: Annotated[
        datetime | None,
        typer.Option(
            "--gerado-em",
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"],
            help="O momento que o relatório diz, hora de Brasília; sem ele, agora.",
        ),
    ] = None,
) -> None:
    """Make reports."""
    try:
        pdf.install()
    except pdf.CannotWrite as error:
        sys.stderr.write(f"relatórios: {error}\n")
    moment = generated_at.replace(tzinfo=ZONE) if generated_at else datetime.now(ZONE)
    whole = True
    try:
        choice = Choice.of(places or (), offers or (), sections or (), title)
        wanted = {"keys": keys or (), "kind": kind, "choice": choice, "generated_at": moment}
        with closing(db.connect()) as conn:
            for made in make(conn, folder, **wanted):
                for path in made.paths:
                    typer.echo(f"{path.stat().st_size / 1024:7,.0f} kB  {path}")
                typer.echo(f"{made.seconds:7.1f} s")
                whole = whole and not made.problem
                if made.problem:
                    sys.stderr.write(f"relatórios: {made.problem}\n")
    except LoadError as error:
        sys.stderr.write(f"relatórios: {error}\n")
        raise typer.Exit(error.code) from None
    except psycopg.Error as error:
        sys.stderr.write(f"relatórios: {' '.join(str(error).split())}\n")
        raise typer.Exit(4) from None
    except OSError as error:
        sys.stderr.write(
            f"relatórios: não se pode escrever em {error.filename} ({error.strerror}); outra pasta:"
            " --saida PASTA\n"
        )
        raise typer.Exit(1) from None
    raise typer.Exit(int(not whole))


if __name__ == "__main__":
    usage.run(app)
