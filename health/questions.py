"""All that is asked, in the order in which people are told."""

import psycopg

from health import backups, files, machine, outbox, runs, safras, sources, vintages
from health.finding import Finding

ALL = (safras, runs, files, vintages, sources, backups, machine, outbox)


def found(conn: psycopg.Connection) -> list[Finding]:
    """What is wrong now, the worst first.

    Args:
        conn: in autocommit, of the database's owner or of intel_carga.
    """
    every = [finding for module in ALL for finding in module.found(conn)]
    return sorted(every, key=lambda finding: -finding.severity)
