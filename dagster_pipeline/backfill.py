"""What ``make backfill`` executes: vintages asked for by name, published batch by batch.

Belongs here: arguments, the rehearsal. Not here: the work (vintages.py), the run in this process
(run.py). ``python -m dagster_pipeline.backfill [401-2024 | 401 | TODAS]...``; exit codes: run.py's.
"""

import logging
import time
from contextlib import closing
from typing import Annotated

import typer
from rich.markup import escape

from dagster_pipeline import manifest, run, seeds
from dagster_pipeline.screen import say
from loaders import connection as db
from loaders import usage
from loaders.catalogue import errand, hub, wanted
from loaders.errors import InvalidInput
from loaders.open_data.client import Client


def rehearse(asked: wanted.Wanted) -> int:
    """Say what would be done; only the catalogue is read, and nothing fetched."""
    from dagster_pipeline import vintages

    with closing(db.connect()) as conn:
        db.prepare(conn)
        for failure in errand.refresh_for(conn, Client(remedy=hub.REMEDY), asked):
            say("falhou", escape(str(failure)))
        plan = wanted.plan(conn, asked)
        for line in vintages.shown(conn, plan, lines=len(plan.tasks) + len(plan.rest)):
            step, _, rest = line.partition(" ")
            say(step, escape(rest.strip()))
    say("ensaio", "nada foi buscado nem mudado; sem ENSAIO=1, faz-se")
    return InvalidInput.code if plan.unknown else 0


def work(what: list[str], *, dry_run: bool) -> int:
    """Everything that `make backfill` does; returns the exit code.

    Raises:
        typer.BadParameter: nothing is asked for, or a word says nothing.
        InvalidInput: INTEL_SEGUIR says nothing that is understood; or a seed is wrong.
    """
    start = time.monotonic()
    asked = usage.read_vintages(what) or wanted.followed()
    if not asked:
        raise typer.BadParameter(
            'quais? make backfill SAFRAS="401-2024 86-2023", ou SAFRAS=TODAS; ou INTEL_SEGUIR'
        )
    if dry_run:
        return rehearse(asked)
    seeds.refuse()
    manifest.prepare_ahead()
    with closing(db.connect()) as conn:
        db.prepare(conn)
    code = run.run_job("novas_safras", "buscar_e_publicar", {"safras": what})
    say("ao todo", "", time.monotonic() - start)
    return code


def main(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[401-2024|401|ucmt_pj|TODAS]...",
            help="Safras, distribuidoras, CSV _pj, ou TODAS; sem nenhuma, o que INTEL_SEGUIR diz.",
        ),
    ] = None,
    *,
    dry_run: Annotated[
        bool,
        typer.Option("--ensaio", "--dry-run", help="Diz o que faria, quantos bytes, que tempo."),
    ] = False,
) -> None:
    """Busca, aterrissa, constrói e publica safras, as mais novas e maiores primeiro."""
    logging.getLogger("pyogrio").setLevel(logging.ERROR)
    run.end(lambda: work(list(what or []), dry_run=dry_run))


if __name__ == "__main__":
    app = usage.App()
    app.command()(main)
    usage.run(app)
