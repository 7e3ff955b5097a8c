"""Followed vintages that ANEEL has and readers do not see, and a catalogue that nobody has read.

Not here: what is to be done of them (loaders/catalogue/wanted.py), a held or failed safra, which
safras.py has.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg

from health.finding import Finding, Severity
from loaders.catalogue import bookkeeping, wanted
from loaders.errors import InvalidInput

PATIENCE = timedelta(days=2)
"""A vintage that was seen since then may be on its way."""
_SEEN = "select item_id, visto_primeiro_em from controle.dataset_catalogo"
_ELSEWHERE = (wanted.Step.BUILD, wanted.Step.HELD, wanted.Step.FAILED)


def found(conn: psycopg.Connection) -> Iterator[Finding]:
    """One for each vintage; nothing is followed: none."""
    try:
        if not wanted.followed():
            return
        tasks = wanted.waiting(conn)
    except InvalidInput as error:
        yield Finding("catalogo:ajuste", Severity.ERROR, str(error), "", "corrigir o .env")
        return
    now = datetime.now(UTC)
    read = bookkeeping.last_read(conn)
    if read is None or now - read > PATIENCE:
        when = "nunca foi lido" if read is None else f"foi lido há {(now - read).days} dias"
        what = f"o catálogo da ANEEL {when}, e há o que seguir (INTEL_SEGUIR)"
        reason = "o Dagster o lê toda noite, enquanto make dev está aberto"
        command = ".venv/bin/python -m loaders catalogo"
        yield Finding("catalogo:leitura", Severity.NOTICE, what, reason, command)
    first_seen = dict(conn.execute(_SEEN))
    for task in tasks:
        seen = first_seen.get(task.item.item_id) if task.item else None
        if task.step in _ELSEWHERE or (seen and now - seen < PATIENCE):
            continue
        what = f"a ANEEL tem {task.key}, e os leitores não a veem: {task.step}"
        command = f'make backfill SAFRAS="{task.key}"'
        yield Finding(f"catalogo:{task.key}", Severity.NOTICE, what, task.why, command)
