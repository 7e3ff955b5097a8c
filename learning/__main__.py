"""The weights' command line: ``python -m learning``.

Belongs here: commands, exit codes. Not here: any work.
"""

import sys
from collections.abc import Callable
from contextlib import closing
from typing import Annotated

import psycopg
import typer

from loaders import connection as db
from loaders import usage
from loaders.errors import DatabaseFailure, LoadError
from loaders.outcomes.table import known_offers

app = usage.App(no_args_is_help=True)


@app.callback(
    help="Pesos do score, aprendidos de resultados de propostas (docs/como_ler_um_lead.md)."
    " Saída: 0 feito, 2 uso, 4 banco."
)
def main() -> None:
    """Weights learned from outcomes. Exit: 0 done, 2 usage, 4 database."""


@app.command(
    "aprender",
    help="Aprende os pesos de cada oferta que tem resultados; usa-os só se ordenam melhor que os da"
    " semente.",
)
def learn() -> None:
    """Learn each offer's weights; the next build takes them."""
    from learning import publish

    def work(conn: psycopg.Connection) -> None:
        if publish.update(conn, typer.echo):
            typer.echo("A seguir: make build refaz os scores")

    _with_database(work)


@app.command("desfazer", help="Volta aos pesos da semente, de uma oferta ou de todas.")
def undo(
    offers: Annotated[list[str] | None, typer.Argument(metavar="[OFERTA...]")] = None,
) -> None:
    """Back to the seed's weights."""
    from learning import publish

    if unknown := set(offers or ()) - known_offers():
        known = ", ".join(sorted(known_offers()))
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: as ofertas são {known}")

    def work(conn: psycopg.Connection) -> None:
        gone = publish.undo(conn, offers or [])
        typer.echo(
            f"{', '.join(gone)}: de volta à semente. A seguir: make build refaz os scores"
            if gone
            else "nenhum peso aprendido em uso: nada a desfazer"
        )

    _with_database(work)


def _with_database(work: Callable[[psycopg.Connection], None]) -> None:
    try:
        with closing(db.connect()) as conn:
            db.prepare(conn)
            work(conn)
    except LoadError as error:
        print(f"falhou: {error}", file=sys.stderr)
        raise typer.Exit(error.code) from None
    except psycopg.OperationalError as error:
        print(f"falhou: {db.lost(error)}", file=sys.stderr)
        raise typer.Exit(DatabaseFailure.code) from None


if __name__ == "__main__":
    usage.run(app)
