"""What is written of a safra when its rows have landed: counts, sums, notes, accepted or held.

Belongs here: what the ledger and the gate are told. Not here: landing rows (landing.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg

from loaders import ledger
from loaders.bdgd import sums
from loaders.bdgd.layers import DECISIVE_LAYERS
from loaders.gate import hold
from loaders.gate.evidence import DOOR, Finding, said
from loaders.safra import Safra

if TYPE_CHECKING:
    from loaders.bdgd.source import Source
    from loaders.bdgd.transfer import Totals


def conclude(
    conn: psycopg.Connection,
    source: "Source",
    safra: Safra,
    ids: dict[str, int],
    totals: "dict[tuple[Safra, str], Totals]",
    findings: list[Finding],
    complements: Mapping[str, str],
) -> None:
    """Close one safra: through the gate's comparison, or held."""
    counts, delivered, findings = {}, {}, list(findings)
    for layer in (c for c in source.layers if c.name in ids):
        name, total = layer.name, totals.get((safra, layer.name))
        processed = total.rows_read - total.rejected if total else 0
        kwh = total.kwh if total else 0.0
        present, lacking = source.present(layer), name in source.lacking
        delivered[name] = hold.Delivered(ids[name], processed, kwh, present, lacking)
        of_file = [*source.remarks.get(name, ()), *filter(None, [complements.get(name)])]
        counts[name] = ledger.Counts(
            processed=processed,
            rejected=total.rejected if total else 0,
            remarks="; ".join(notes(of_file, total)) or None,
        )
        if layer in DECISIVE_LAYERS:
            findings += _doubled(name, total)
    sums.write(conn, safra, source.layers, ids, totals)
    reason = said(findings)
    if findings:
        error = f"safra retida: {reason}; {hold.remedy(safra.key)}"
        counts = {name: replace(count, error=error) for name, count in counts.items()}
    complete = len(source.layers) > 1
    hold.record(conn, safra, delivered, complete=complete, accepted=not findings)
    waiting = hold.pending_reason(conn, safra, ids)
    ledger.conclude(
        conn, safra, {ids[name]: c for name, c in counts.items()}, held_reason=reason or waiting
    )
    if findings or not waiting:
        hold.note(conn, safra, findings)


def notes(of_file: Iterable[str], total: "Totals | None") -> Iterator[str]:
    """What stands in the ledger beside the counts of a layer."""
    from loaders.bdgd import physics

    yield from of_file
    if total is None:
        return
    yield from (
        f"{how_many} linhas rejeitadas: {reason}" for reason, how_many in total.reasons.items()
    )
    for reason, how_many in total.corrected.items():
        done = "sem data para quem lê" if reason in physics.KEPT_AS_TEXT else "anulados"
        yield f"{how_many} valores {done}: {reason}"
    if total.overlapping:
        yield f"{total.overlapping} COD_ID com energia no mesmo mês em linhas diferentes: somadas"


def _doubled(name: str, total: "Totals | None") -> list[Finding]:
    """A layer with many copies was exported twice, or joined with itself: not to be published."""
    from loaders.bdgd import copies, physics

    copies_seen = total.reasons[copies.REASON] if total else 0
    greatest = physics.limit(physics.COPIES)
    if not total or copies_seen <= greatest * total.rows_read:
        return []
    text = (
        f"{name}: {copies_seen} de {total.rows_read} linhas são cópias idênticas de outras"
        f" ({copies_seen / total.rows_read:.0%}; o máximo é {greatest:.0%})"
    )
    return [
        Finding(
            physics.COPIES, name, text, DOOR, {"copias": copies_seen, "linhas": total.rows_read}
        )
    ]
