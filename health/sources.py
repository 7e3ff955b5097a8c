"""Open data that have landed once and are older than their source makes them anew."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg

from health.finding import Finding, Severity
from loaders.open_data.landing import landed_at
from loaders.open_data.registry import DATASETS


def ages(conn: psycopg.Connection) -> dict[str, float]:
    """Dataset → days since its newest file landed; what never landed is not there."""
    now = datetime.now(UTC)
    landed = {name: landed_at(conn, dataset) for name, dataset in DATASETS.items()}
    return {name: (now - at).total_seconds() / 86_400 for name, at in landed.items() if at}


def found(conn: psycopg.Connection) -> Iterator[Finding]:
    """One finding for each late dataset."""
    for name, days in ages(conn).items():
        if 0 < DATASETS[name].fresh_days < days:
            yield Finding(
                f"fonte:{name}",
                Severity.NOTICE,
                f"dados abertos {name}: o último arquivo aterrissou há {days:.0f} dias",
                f"{DATASETS[name].title}: velho depois de {DATASETS[name].fresh_days} dias",
                f".venv/bin/python -m loaders aberto {name}",
            )
