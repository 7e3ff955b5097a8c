"""Files of which the newest try was refused this week."""

from collections.abc import Iterator

import psycopg

from health.finding import Finding, Severity

_REFUSED = """
    select arquivo, erro from (
        select distinct on (arquivo) arquivo, data_inicio, status, erro
        from intel_lead.import_status order by arquivo, import_id desc
    ) as t
    where status = 'failed' and erro not like 'safra retida%' and erro not like 'interrompid%'
        and data_inicio > now() - interval '7 days'
    order by arquivo"""


def found(conn: psycopg.Connection) -> Iterator[Finding]:
    """One finding for each file."""
    for file, why in conn.execute(_REFUSED):
        yield Finding(
            f"arquivo:{file}",
            Severity.NOTICE,
            f"arquivo {file} recusado",
            why or "",
            f"python -m loaders bdgd {file}   depois de corrigir o arquivo",
        )
