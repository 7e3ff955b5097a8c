"""``python -m loaders r exportar|importar``.

Belongs here: options, words. Not here: files (export.py, contract.py), the landing (landing.py).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from loaders import connection as db
from loaders.errors import DatabaseFailure, InvalidInput, LoadError
from loaders.exchange import export as out
from loaders.exchange import landing
from loaders.safra import Safra

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Troca com R (SCR): o que ele lê, e as previsões que voltam (docs/r.md).",
)


class What(StrEnum):
    """What is exported."""

    unidades = "unidades"
    municipios = "municipios"
    series = "series"


def _safra(text: str) -> Safra:
    try:
        return Safra.from_key(text)
    except (ValueError, LoadError) as error:
        raise typer.BadParameter(str(error)) from error


@app.command(
    "exportar",
    help="Escreve um CSV para R (; e vírgula decimal): unidades de pessoas jurídicas ou municipios,"
    " nas 16 colunas do SCR, ou series, os meses de energia em que se treina.",
)
def export(
    what: Annotated[What, typer.Argument(help="O que se exporta.")] = What.unidades,
    *,
    safra: Annotated[
        Safra | None,
        typer.Option(
            parser=_safra,
            metavar="401-2024",
            help="Só esta; sem ela, a mais nova de cada distribuidora. De series, todas as safras"
            " da distribuidora.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--saida", dir_okay=False, help="Arquivo; sem ele, o terminal.")
    ] = None,
) -> None:
    """Write a CSV for R."""
    with _warehouse() as conn:
        try:
            if output:
                with out.whole(output) as file:
                    done = out.export(conn, what.value, safra, file)
            else:
                done = out.export(conn, what.value, safra, sys.stdout)
        except OSError as error:
            raise InvalidInput(f"{output}: não se pode escrever ({error.strerror})") from None
    left_out = (
        f"; {done.hidden} municípios são células pequenas e ficam fora" if done.hidden else ""
    )
    typer.echo(f"{done.rows} linhas em {output or 'saída padrão'}{left_out}", err=True)
    if not done.rows:
        typer.echo("nada publicado assim: confira --safra com make status", err=True)


@app.command("importar", help="Confere e aterrissa previsões vindas de R: CSV ou Parquet.")
def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="ARQUIVO...", exists=True, dir_okay=False)],
) -> None:
    """Check and land predictions; each file whole or not at all."""
    code = 0
    with _warehouse() as conn:
        for path in paths:
            try:
                typer.echo(said(path, landing.land(conn, path)))
            except InvalidInput as error:
                typer.echo(f"erro: {error}", err=True)
                code = error.code
    if code:
        raise typer.Exit(code)


def said(path: Path, done: landing.Landed) -> str:
    """One line on a file."""
    if done.already:
        return f"{path.name}: já carregado, nada mudou"
    before = f", no lugar de {done.replaced} de antes" if done.replaced else ""
    return f"{path.name}: {done.rows} meses de {done.series} séries{before}; make build os avalia"


@contextmanager
def _warehouse() -> Iterator[psycopg.Connection]:
    """A prepared connection; what is wrong ends in one line and its exit code."""
    try:
        with db.connect() as conn:
            db.prepare(conn)
            yield conn
    except psycopg.OperationalError as error:
        typer.echo(f"erro: {db.lost(error)}", err=True)
        raise typer.Exit(DatabaseFailure.code) from None
    except LoadError as error:
        typer.echo(f"erro: {error}", err=True)
        raise typer.Exit(error.code) from None
