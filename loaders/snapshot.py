"""Reading many tables as of one moment, although safras are swapped under readers.

Belongs here: the snapshot and the lock that makes it safe. Not here: what is read.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

# A snapshot older than a publication sees the replaced safra empty (docs/architecture.md): none is
# published while one is taken.
_LOCK = "hashtext('intel_lead.publicacao')"
log = logging.getLogger(__name__)


@contextmanager
def snapshot(conn: psycopg.Connection) -> Iterator[None]:
    """Everything asked within is of one moment, and nothing is published meanwhile."""
    if not conn.execute(f"select pg_try_advisory_lock_shared({_LOCK})").fetchone()[0]:
        log.info("esperando a publicação em andamento")
        conn.execute(f"select pg_advisory_lock_shared({_LOCK})")
    try:
        with conn.transaction():
            conn.execute("set transaction isolation level repeatable read, read only")
            yield
    finally:
        conn.execute(f"select pg_advisory_unlock_shared({_LOCK})")
