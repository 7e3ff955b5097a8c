"""Safras that readers do not see as they landed: held, failed, or waiting for a build too long."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg

from health.finding import Finding, Severity
from loaders import ledger
from loaders.gate import hold

PATIENCE = timedelta(hours=2)
"""A landing waits so long for its build before somebody is told."""

_LANDED = """
    select distribuidora_id || '-' || ano, retida, motivo_retencao, import_id,
        importada_em < now() - %s
    from controle.safra_importada
    order by distribuidora_id, ano"""
_FAILED = """
    select import_id, ano, distribuidora_id, string_agg(
        onde || ': ' || motivo || coalesce(', a primeira ' || (chaves ->> 0), ''), '; '
        order by onde
    )
    from controle.safra_reprovada group by import_id, ano, distribuidora_id"""
_PUBLISHED = "select distribuidora_id || '-' || ano, import_id from intel_lead.safra_publicada"
_BUILDING = f"""
    select exists (
        select from pg_locks where locktype = 'advisory' and granted
            and (classid::bigint << 32 | objid::bigint) = {ledger.DBT_LOCK}
            and database = (select oid from pg_database where datname = current_database())
    )"""


def found(conn: psycopg.Connection) -> Iterator[Finding]:
    """One finding at most for each landed safra."""
    failed = {}
    if _there(conn, "controle.safra_reprovada"):
        failed = {
            (import_id, f"{distributor}-{year}"): why
            for import_id, year, distributor, why in conn.execute(_FAILED)
        }
    published = dict(conn.execute(_PUBLISHED)) if _there(conn, "intel_lead.safra_publicada") else {}
    (building,) = conn.execute(_BUILDING).fetchone()
    for key, held, why_held, import_id, long_ago in conn.execute(_LANDED, [PATIENCE]):
        said = f"safra {key}"
        if held:
            what, reason, command = f"{said} retida pelo portão", why_held, hold.remedy(key)
        elif why := failed.get((import_id, key)):
            what, reason = f"{said} reprovada, não publicada", why
            command = f"make build SAFRA={key}"
        elif long_ago and not building and published.get(key) != import_id:
            what, reason = f"{said} aterrissou e não foi publicada", "nenhuma construção a publicou"
            command = "make build"
        else:
            continue
        yield Finding(f"safra:{key}", Severity.ERROR, what, reason or "", command)


def _there(conn: psycopg.Connection, table: str) -> bool:
    return conn.execute("select to_regclass(%s) is not null", [table]).fetchone()[0]
