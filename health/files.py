"""Files of which the newest try this week was refused, or interrupted."""

from collections.abc import Iterator
from datetime import datetime

import psycopg

from health.finding import Finding, Severity

_REFUSED = """
    select arquivo, data_inicio, coalesce(erro, '') from (
        select distinct on (arquivo) arquivo, data_inicio, status, erro
        from intel_lead.import_status order by arquivo, import_id desc
    ) as t
    where status = 'failed' and erro not like 'safra retida%'
        and data_inicio > now() - interval '7 days'
    order by data_inicio desc, arquivo"""


def refused(conn: psycopg.Connection) -> list[tuple[str, datetime, str]]:
    """File, when it was tried, and why it did not land; the newest first."""
    return conn.execute(_REFUSED).fetchall()


def found(conn: psycopg.Connection) -> Iterator[Finding]:
    """One finding for each file."""
    for file, _, why in refused(conn):
        yield Finding(
            f"arquivo:{file}",
            Severity.NOTICE,
            f"arquivo {file} não aterrissou",
            why,
            f".venv/bin/python -m loaders bdgd {file}   (recusado: depois de corrigi-lo)",
        )
