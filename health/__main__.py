"""``python -m health``: what is wrong, in a terminal or for a monitor.

Belongs here: the command, its words. Exit: 0 all is well, 1 a notice, 2 an error or wrong usage,
4 the database does not answer.
"""

import sys
import textwrap
from contextlib import closing
from typing import Annotated

import psycopg
import typer

from health import figures, incidents, questions
from health.finding import Finding
from loaders import connection as db
from loaders import usage
from loaders.errors import LoadError

WIDTH = 80
app = usage.App()


@app.command(
    help="Diz o que está errado e o que digitar. Saída: 0 tudo bem, 1 aviso, 2 erro, 4 banco."
)
def command(
    *,
    prometheus: Annotated[
        bool, typer.Option("--prometheus", help="Os mesmos números, para um monitor ler.")
    ] = False,
    tell: Annotated[
        bool,
        typer.Option(
            "--avisar", help=f"Avisa também quem está em {incidents.RECIPIENTS}, uma vez por caso."
        ),
    ] = False,
) -> None:
    """Look, and say."""
    try:
        with closing(db.connect()) as conn:
            db.prepare(conn)
            watched = incidents.watch(conn) if tell else None
            found = watched.now if watched else questions.found(conn)
            said = figures.lines(conn, found) if prometheus else _said(found)
            typer.echo("\n".join(said))
    except (LoadError, psycopg.Error) as error:
        sys.stderr.write(f"saúde: {' '.join(str(error).split())}\n")
        raise typer.Exit(4) from None
    if watched:
        sys.stderr.write(f"avisos: {watched}\n")
    raise typer.Exit(max((finding.severity for finding in found), default=0))


def _said(found: list[Finding]) -> list[str]:
    lines = []
    for finding in found:
        lines += textwrap.wrap(
            f"{finding.severity.word:<6} {finding.what}", WIDTH, subsequent_indent=" " * 7
        )
        lines += textwrap.wrap(
            finding.reason,
            WIDTH,
            initial_indent=" " * 7,
            subsequent_indent=" " * 7,
            max_lines=4,
            placeholder=" …",
        )
        lines.append(f"       → {finding.command}")
    return lines or ["tudo bem"]


if __name__ == "__main__":
    usage.run(app)
