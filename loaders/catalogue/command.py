"""``python -m loaders catalogo``.

Belongs here: the command, its list. Not here: reading (hub.py, ckan.py), what is kept.
"""

import json
import logging
import shutil
from contextlib import closing
from typing import Annotated

import psycopg
import typer

from loaders import usage
from loaders.catalogue import bookkeeping, hub, wanted
from loaders.catalogue.bookkeeping import Known, Refreshed
from loaders.connection import connect, lost, prepare
from loaders.errors import DatabaseFailure, LoadError
from loaders.figures import number
from loaders.open_data.client import Client

HELP = (
    "Lê o catálogo da ANEEL (Hub da BDGD e os três CSV _pj) e mostra o que há, o que está guardado,"
    " aterrissado, publicado. Não busca nenhum arquivo."
)


def command(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[401|401-2024]...", help="Só estas; sem nenhuma, todas."),
    ] = None,
    *,
    known_only: Annotated[
        bool, typer.Option("--sem-ler", help="Não pergunta à ANEEL: mostra o que já se sabe.")
    ] = False,
    old: Annotated[
        bool,
        typer.Option(
            "--versoes", help="Também o que foi substituído, o extraordinário e o que não se lê."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Uma linha JSON por item, para outro programa.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Lê e diz o que mudaria; não guarda nada.")
    ] = False,
) -> None:
    """Read the catalogue and show it. Exit: 0 done, 2 usage, 3 a source failed, 4 database."""
    code, asked = 0, usage.read_vintages(what or ())
    try:
        with closing(connect()) as conn:
            prepare(conn)
            if dry_run:
                with conn.transaction(force_rollback=True):
                    code = _refresh(conn)
                raise typer.Exit(code)
            code = 0 if known_only else _refresh(conn)
            items = [item for item in bookkeeping.known(conn) if not asked or asked.has(item)]
            shown = [item for item in items if old or _usual(item)]
            states = wanted.states(conn, shown)
            if as_json:
                for item in shown:
                    typer.echo(json.dumps(_fields(item, states[item.item_id]), ensure_ascii=False))
            else:
                _show(shown, states, hidden=len(items) - len(shown))
    except LoadError as error:
        logging.error("%s", error)
        code = error.code
    except psycopg.OperationalError as error:
        logging.error("%s", lost(error))
        code = DatabaseFailure.code
    if code:
        raise typer.Exit(code)


def _refresh(conn: psycopg.Connection) -> int:
    code = 0
    for outcome in bookkeeping.refresh(conn, Client(remedy=hub.REMEDY)).values():
        if isinstance(outcome, Refreshed):
            logging.info("%s", outcome)
            for title in outcome.new[:20] if outcome.items != len(outcome.new) else ():
                logging.info("novo: %s", title)
            for title in outcome.gone:
                logging.warning("sumiu do catálogo: %s", title)
            for title, fault in outcome.odd.items():
                logging.warning("%s: %s", title, fault)
        else:
            logging.error("%s", outcome)
            code = max(code, outcome.code)
    return code


def _usual(item: Known) -> bool:
    return item.kind == "csv_pj" or (item.current and not item.extraordinary)


def _fields(item: Known, state: str) -> dict[str, object]:
    return {
        "safra": item.key if item.ano else None,
        "titulo": item.title,
        "item_id": item.item_id,
        "situacao": state,
        "modelo": item.modelo,
        "enviado_em": item.sent_at and item.sent_at.isoformat(),
        "modificado_em": item.modified_at and item.modified_at.isoformat(),
        "tamanho_bytes": item.size,
        "no_catalogo": item.listed,
        "vigente": item.current,
        "extraordinaria": item.extraordinary,
        "sha256": item.sha256,
        "url": item.url,
        "ressalva": item.fault,
        "erro": item.last_error,
    }


def _show(items: list[Known], states: dict[str, str], *, hidden: int) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("safra", "modelo", "enviada", "MB", "situação"):
        table.add_column(title, no_wrap=True, justify="right" if title == "MB" else "left")
    table.add_column("título", overflow="fold")
    for item in items:
        sent = item.sent_at or item.modified_at
        size = number(item.weight / 2**20, 1) if item.weight else ""
        when = f"{sent:%d/%m/%Y}" if sent else ""
        what = f"{item.title}: {item.fault}" if item.fault else item.title
        key = item.key if item.ano else ""
        table.add_row(key, item.modelo or "", when, size, states[item.item_id], what)
    Console(width=max(100, shutil.get_terminal_size((100, 24)).columns)).print(table)
    tally: dict[str, int] = {}
    for item in items:
        tally[states[item.item_id]] = tally.get(states[item.item_id], 0) + 1
    said = ", ".join(f"{n} {state}" for state, n in sorted(tally.items()))
    typer.echo(f"{len(items)} itens: {said or 'nenhum'}")
    if hidden:
        typer.echo(
            f"e mais {hidden} substituídos, extraordinários ou de título ilegível: --versoes"
        )
    followed = wanted.followed()
    typer.echo(
        "nada é seguido: INTEL_SEGUIR=401,86 (ou TODAS) busca e publica sozinho; uma vez:"
        " make backfill SAFRAS=401-2024"
        if not followed
        else "o que se segue (INTEL_SEGUIR) chega todo dia com make dev; agora: make backfill"
    )
