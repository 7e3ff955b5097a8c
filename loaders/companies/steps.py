"""The steps of enrichment from outside: how they stand, taking one back, doing it again.

Belongs here: controle.enriquecimento as people change it. Not here: what a step finds (dbt,
addresses.py). A step is not undone row by row: it is marked, its safras become pending, and the
next build makes them without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import psycopg

from loaders.errors import InvalidInput
from loaders.gate.hold import audit
from loaders.safra import Safra

UNDO, REDO = "desfazer etapa", "refazer etapa"
"""``acao`` in controle.auditoria."""

_MARK = """
    update controle.enriquecimento set desfeita = %(undone)s, mudada_em = clock_timestamp()
    where etapa = %(step)s and desfeita <> %(undone)s
        and (%(keys)s::text[] is null or distribuidora_id || '-' || ano = any(%(keys)s))
    returning distribuidora_id || '-' || ano
"""
_STATE = """
    select etapa, distribuidora_id || '-' || ano, desfeita
    from controle.enriquecimento where sinal <> '' order by etapa, ano, distribuidora_id
"""
_FOUND = """
    select etapa, distribuidora_id || '-' || ano, resultado::text, count(*)
    from intel_lead.lead_enrichment_log group by 1, 2, 3
"""


class Step(StrEnum):
    """A step that somebody may take back."""

    empresa = "empresa"
    endereco = "endereco"
    geocodificacao = "geocodificacao"


@dataclass(frozen=True)
class State:
    """A step of a safra: whether it was taken back, and result → leads, as published."""

    step: str
    key: str
    undone: bool
    results: dict[str, int]


def states(conn: psycopg.Connection) -> list[State]:
    """Every step that ran, by step and safra."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    if conn.execute("select to_regclass('intel_lead.lead_enrichment_log')").fetchone()[0]:
        for step, key, result, leads in conn.execute(_FOUND):
            found.setdefault((step, key), {})[result] = leads
    return [
        State(step, key, undone, found.get((step, key), {}))
        for step, key, undone in conn.execute(_STATE).fetchall()
    ]


def mark(
    conn: psycopg.Connection,
    step: Step,
    *,
    undone: bool,
    safras: Sequence[Safra] = (),
    reason: str = "",
    dry_run: bool = False,
) -> list[str]:
    """Take a step back, or have it again; of all safras where none is named.

    Returns:
        keys of the safras that are another way now.

    Raises:
        InvalidInput: the step never ran for a safra that is named.
    """
    keys = [safra.key for safra in safras] or None
    ran = {state.key for state in states(conn) if state.step == step}
    if keys and (never := sorted(set(keys) - ran)):
        raise InvalidInput(f"safra {never[0]}: a etapa {step} nunca rodou nela, nada a mudar")
    with conn.transaction(force_rollback=dry_run):
        values = {"step": step, "undone": undone, "keys": keys}
        changed = sorted(key for (key,) in conn.execute(_MARK, values).fetchall())
        for key in changed:
            details = {"etapa": str(step), "motivo": reason}
            audit(conn, action=UNDO if undone else REDO, subject=key, details=details)
    return changed
