"""A verdict on a terminal.

Belongs here: how findings and failed expectations are shown. Not here: judging (verdict.py).
"""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from loaders.errors import HeldDelivery
from loaders.gate import hold
from loaders.gate.expectations import failures
from loaders.gate.verdict import Verdict


def show_all(verdicts: Sequence[Verdict]) -> None:
    """Each verdict.

    Raises:
        HeldDelivery: after all are shown, that some are held, and what to do.
    """
    for verdict in verdicts:
        show(verdict)
    held = [verdict.safra.key for verdict in verdicts if verdict.held]
    if held:
        raise HeldDelivery(f"safra {', '.join(held)} retida; {hold.remedy(held[0])}")


def show(verdict: Verdict) -> None:
    """Findings, warnings, and how many rules held."""
    screen = Console(soft_wrap=True, highlight=False)
    warnings = failures(verdict.results, "plausibilidade")
    if warnings:
        table = Table("camada", "expectativa", "coluna", "visto", "de", title_justify="left")
        for r in warnings:
            table.add_row(r.layer, r.rule.name, r.rule.column, str(r), str(r.total))
        screen.print(table)
    for finding in verdict.findings:
        screen.print(f"[red]achado[/] {finding.id}: {finding.text}")
    state = "retida" if verdict.held else "pode ser publicada"
    screen.print(
        f"safra {verdict.safra.key}: {len(verdict.results)} expectativas, {len(warnings)} avisos,"
        f" {len(verdict.findings)} achados; {state}"
    )
