"""``python -m exports [401-2024 …] [--destino PASTA] [--completo] [--ensaio]``.

Belongs here: the command, its words and exit codes. Not here: what it does.
Exit: 0 done, 2 usage, 3 no such safra, not the owner, or a folder that cannot be written,
4 database, 130 interrupted.
"""

import logging
import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from exports import make
from loaders import connection as db
from loaders import usage
from loaders.environment import CLONE
from loaders.errors import LoadError
from loaders.figures import number
from loaders.safra import listed

app = usage.App()


@app.command(
    help="Tabelas de marts em GeoParquet e Parquet, um arquivo por safra (docs/bi.md)."
    " Saída: 0 feito, 2 uso, 3 não há tal safra, não é o dono ou não se escreve na pasta, 4 banco."
)
def export(
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="[401-2024]...", help="Só estas safras; sem elas, todas."),
    ] = None,
    *,
    dest: Annotated[
        Path,
        typer.Option(
            "--destino", file_okay=False, help="Pasta das exportações; a nova é atual, nela."
        ),
    ] = Path(CLONE) / ".local" / "exportacao",
    complete: Annotated[
        bool,
        typer.Option(
            "--completo",
            help="Também intel_lead, com as unidades de pessoas físicas: só o dono do banco.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--ensaio", help="Diz que arquivos e quantas linhas; não escreve nada.")
    ] = False,
) -> None:
    """Export the tables of marts."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with closing(db.connect()) as conn:
            if dry_run:
                _say(conn, keys or (), complete=complete)
            else:
                typer.echo(make.export(conn, dest, keys or (), complete=complete))
    except LoadError as error:
        sys.stderr.write(f"exportação: {error}\n")
        raise typer.Exit(error.code) from None
    except psycopg.Error as error:
        sys.stderr.write(f"exportação: {' '.join(str(error).split())}\n")
        raise typer.Exit(4) from None
    except KeyboardInterrupt:
        raise typer.Exit(usage.INTERRUPTED) from None


def _say(conn: psycopg.Connection, keys: list[str] | tuple[()], *, complete: bool) -> None:
    with make.planned(conn, keys, complete=complete) as (plan, _):
        for relation, parts in plan.tables.items():
            rows = number(sum(part.rows for part in parts))
            names = ", ".join(part.name for part in parts[:4])
            more = f" e mais {len(parts) - 4}" if len(parts) > 4 else ""
            typer.echo(f"{relation.schema}.{relation.name:<33} {rows:>15} linhas  {names}{more}")
        typer.echo(
            f"{len(plan.tables)} tabelas, {number(plan.rows)} linhas, safras"
            f" {listed([one.key for one in plan.safras])}, lidas como {plan.role}; ensaio: nada"
            " foi escrito"
        )


if __name__ == "__main__":
    usage.run(app)
