"""``python -m loaders enriquecimento``: how the steps stand; take one back, do it again.

Belongs here: the command. Not here: what it does (steps.py, addresses.py).
"""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from typing import Annotated

import psycopg
import typer

from loaders.companies import addresses, geocoding, steps
from loaders.companies.steps import Step
from loaders.connection import connect, lost, prepare
from loaders.errors import DatabaseFailure, LoadError
from loaders.safra import Safra

HELP = "Mostra as etapas do enriquecimento que vêm de fora; desfaz uma, refaz, geocodifica."
_WORDS = {"success": "com sucesso", "partial": "em parte", "failed": "sem achar"}

log = logging.getLogger(__name__)


class Action(StrEnum):
    """What is asked for."""

    estado = "estado"
    desfazer = "desfazer"
    refazer = "refazer"
    geocodificar = "geocodificar"


def command(
    action: Annotated[
        Action, typer.Argument(metavar="AÇÃO", help="estado, desfazer, refazer ou geocodificar.")
    ] = Action.estado,
    step: Annotated[
        Step | None,
        typer.Argument(metavar="ETAPA", help="empresa, endereco ou geocodificacao."),
    ] = None,
    *,
    safras: Annotated[
        str, typer.Option("--safra", help="Só destas, com vírgulas; senão, de todas.")
    ] = "",
    reason: Annotated[
        str, typer.Option("--motivo", help="Por quê; fica guardado com o seu nome.")
    ] = "",
    limit: Annotated[
        int, typer.Option("--limite", min=1, help="Endereços que geocodificar pergunta no máximo.")
    ] = 1000,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Diz o que mudaria; não muda nada.")
    ] = False,
) -> None:
    """Show the steps of enrichment, take one back, or have it again."""
    if action in (Action.desfazer, Action.refazer) and step is None:
        raise typer.BadParameter("diga a etapa: empresa, endereco, geocodificacao")
    if action is Action.desfazer and not dry_run and not reason.strip():
        raise typer.BadParameter("escreva por que a etapa é desfeita", param_hint="--motivo")
    named = _safras(safras)
    with _connected() as conn:
        if action is Action.geocodificar:
            questions, found = geocoding.run(conn, geocoding.service(), limit=limit)
            typer.echo(f"{questions} endereços perguntados, {found} achados; make build os usa")
            return
        if action is Action.estado or step is None:
            _show(conn)
            return
        if action is Action.refazer and step is Step.endereco and not dry_run:
            addresses.compare(conn, say=log.info)
        changed = steps.mark(
            *(conn, step),
            undone=action is Action.desfazer,
            safras=named,
            reason=reason.strip(),
            dry_run=dry_run,
        )
    if not changed:
        typer.echo(f"etapa {step}: já está assim, nada mudou")
        return
    done = {"desfazer": "desfeita", "refazer": "refeita"}[action]
    would = "seria " if dry_run else ""
    after = "nada mudou" if dry_run else "make build a publica"
    typer.echo(f"etapa {step} {would}{done} em {', '.join(changed)}; {after}")


def _safras(text: str) -> list[Safra]:
    try:
        return [Safra.from_key(key) for key in text.replace(",", " ").split()]
    except (ValueError, LoadError) as error:
        raise typer.BadParameter(str(error), param_hint="--safra") from None


def _show(conn: psycopg.Connection) -> None:
    found = steps.states(conn)
    if not found:
        typer.echo("nenhuma etapa de fora rodou: antes, python -m loaders empresas PASTA")
    for state in found:
        told = [f"{n} {_WORDS[result]}" for result, n in sorted(state.results.items())]
        text = ", ".join(told) or "nenhum lead publicado"
        undone = "; desfeita" if state.undone else ""
        typer.echo(f"{state.step:<15} {state.key:<11} {text}{undone}")


@contextmanager
def _connected() -> Iterator[psycopg.Connection]:
    """The database; a failure ends in one line and its exit code."""
    try:
        with closing(connect()) as conn:
            prepare(conn)
            yield conn
    except LoadError as error:
        log.error("%s", error)
        raise typer.Exit(error.code) from None
    except psycopg.OperationalError as error:
        log.error("%s", lost(error))
        raise typer.Exit(DatabaseFailure.code) from None
