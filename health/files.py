"""Files of which the newest try this week was refused, or interrupted.

Such a case ends when the file lands, its content under another name, or its safra by another file.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from shlex import quote

import psycopg

from health.finding import Finding, Severity
from loaders import inbox
from loaders.catalogue.titles import OddTitle, parse
from loaders.safra import Safra

_REFUSED = """
    select import_id, arquivo, data_inicio, coalesce(erro, '') from (
        select distinct on (arquivo) import_id, arquivo, sha256, data_inicio, status, erro
        from intel_lead.import_status order by arquivo, import_id desc
    ) as t
    where status = 'failed' and erro not like 'safra retida%'
        and data_inicio > now() - interval '7 days'
        and not exists (
            select from intel_lead.import_status as depois
            where depois.sha256 = t.sha256 and depois.import_id > t.import_id
                and depois.status = 'completed'
        )
    order by data_inicio desc, arquivo"""
_LANDED = """
    select distribuidora_id || '-' || ano, max(import_id)
    from intel_lead.import_status where status = 'completed' and removida_em is null
    group by distribuidora_id, ano"""


def refused(conn: psycopg.Connection) -> list[tuple[str, datetime, str]]:
    """File, when it was tried, and why it did not land; the newest first."""
    landed = dict(conn.execute(_LANDED).fetchall())
    return [
        (file, when, why)
        for import_id, file, when, why in conn.execute(_REFUSED)
        if landed.get(_safra(file), 0) < import_id
    ]


def _safra(file: str) -> str:
    """The key of the safra that a file's name says, or nothing."""
    try:
        title = parse(file)
    except OddTitle:
        return ""
    return Safra.from_date(title.distribuidora_id, title.data_base).key


def found(conn: psycopg.Connection) -> Iterator[Finding]:
    """One finding for each file."""
    for file, _, why in refused(conn):
        yield Finding(
            f"arquivo:{file}",
            Severity.NOTICE,
            f"arquivo {file} não aterrissou",
            why,
            f"make run BDGD={_where(file)}   (depois de corrigi-lo)",
        )


def _where(file: str) -> str:
    """Where it lies, if it came by the inbox; of another only the name is known."""
    place = inbox.refused(file) or Path("PASTA") / file
    return quote(str(place))
