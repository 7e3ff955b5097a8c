"""What a person sees in the terminal while files become safras, and when they have.

Belongs here: lines and tables. Not here: what is done (run.py, batch.py).
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from rich.console import Console
from rich.table import Table

from loaders.figures import number
from loaders.safra import Safra

if TYPE_CHECKING:
    import dagster as dg

# Steps write to 1 and 2, which Dagster keeps; a person sees one line per step, through this.
SCREEN = Console(file=os.fdopen(os.dup(1), "w", buffering=1), highlight=False, soft_wrap=True)


def say(step: str, text: str, seconds: float | None = None) -> None:
    """One line per step."""
    took = "" if seconds is None else f"  [dim]{number(seconds, 1)} s[/]"
    SCREEN.print(f"[bold]{step:<8}[/] {text}{took}")


class Listener:
    """Says what a run does: the lines that it means for a person."""

    def __call__(self, entry: "dg.EventLogEntry") -> None:
        """Take one event."""
        from dagster_pipeline.defs.safras import LINE

        text = entry.user_message
        if entry.dagster_event is None and text.startswith(LINE):
            step, _, rest = text.removeprefix(LINE).partition(" ")
            red = step in ("falhou", "retida", "arquivo", "fora")
            SCREEN.print(f"[bold{' red' if red else ''}]{step:<8}[/] ", end="")
            SCREEN.print(rest.strip(), markup=False)


@contextmanager
def silence() -> Iterator[None]:
    """Nothing on 1 and 2, of this process and of those it starts: Dagster's copies remain."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [(fd, os.dup(fd)) for fd in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for fd, _ in saved:
            os.dup2(nowhere, fd)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for fd, copy in saved:
            os.dup2(copy, fd)
            os.close(copy)
        os.close(nowhere)


def layers(conn: psycopg.Connection, safra: Safra) -> list[tuple]:
    """Per layer: leads, energy rows, kWh, demand rows, located leads."""
    return conn.execute(
        """
        select
            l.origem::text,
            count(*),
            (select count(*) from intel_lead.lead_energia_mensal as e
             where (e.ano, e.distribuidora_id, e.origem) = (l.ano, l.distribuidora_id, l.origem)),
            (select coalesce(sum(e.energia_total), 0) from intel_lead.lead_energia_mensal as e
             where (e.ano, e.distribuidora_id, e.origem) = (l.ano, l.distribuidora_id, l.origem)),
            (select count(*) from intel_lead.lead_demanda_mensal as d
             where (d.ano, d.distribuidora_id, d.origem) = (l.ano, l.distribuidora_id, l.origem)),
            count(l.geom)
        from intel_lead.lead_com_coordenadas as l
        where l.ano = %s and l.distribuidora_id = %s
        group by l.ano, l.distribuidora_id, l.origem
        order by l.origem
        """,
        [safra.ano, safra.distribuidora_id],
    ).fetchall()


def show(conn: psycopg.Connection, key: str) -> None:
    """What is published of one safra."""
    safra = Safra.from_key(key)
    place = {"ano": safra.ano, "dist": safra.distribuidora_id}
    where = "where ano = %(ano)s and distribuidora_id = %(dist)s"
    (name,) = conn.execute(
        "select nome from intel_lead.distribuidora where id = %(dist)s", place
    ).fetchone() or ("?",)
    history, points, rejected, lacking = conn.execute(
        f"select (select count(*) from intel_lead.lead_historico {where}),"
        f" (select count(*) from intel_lead.ponto_notavel {where}),"
        f" (select count(*) from raw.rejeitado {where}),"
        " (select string_agg(camada, ', ' order by camada) from controle.entrega"
        f" {where} and ausencia_declarada)",
        place,
    ).fetchone()
    table = Table(title=f"safra {key}, {name}", title_justify="left", box=None, pad_edge=False)
    for heading in (
        "camada",
        "leads",
        "linhas de energia",
        "energia kWh",
        "linhas de demanda",
        "no mapa",
    ):
        table.add_column(heading, justify="left" if heading == "camada" else "right")
    for layer, leads, energy, kwh, demand, located in layers(conn, safra):
        counts = (number(leads), number(energy), number(kwh, 2), number(demand))
        table.add_row(layer, *counts, f"{number(100 * located / leads, 1)} %")
    SCREEN.print()
    SCREEN.print(table)
    SCREEN.print(
        f"lead_historico {number(history)}, ponto_notavel {number(points)},"
        f" linhas rejeitadas {number(rejected)}"
    )
    if lacking:
        SCREEN.print(f"cópia sem {lacking}, como declarado: o que depende disso fica sem dados")
