"""The catalogue read, and one item brought: what the command line and Dagster both do.

Belongs here: when a reading is due, fetching with its bookkeeping. Not here: what they say of it.
"""

from datetime import UTC, datetime, timedelta

import psycopg

from loaders.catalogue import archive, bookkeeping
from loaders.catalogue.archive import Bar, Copy, silent
from loaders.catalogue.bookkeeping import Known, Refreshed
from loaders.catalogue.wanted import Wanted
from loaders.errors import InvalidInput, SourceFailure
from loaders.open_data.client import Client

FRESH = timedelta(hours=1)
"""A catalogue that was read since is not read again to fetch from it."""


def refresh(conn: psycopg.Connection, client: Client) -> dict[str, Refreshed | SourceFailure]:
    """Read the catalogue now: source → what it brought, or why it did not.

    Raises:
        SourceFailure: it never was read, and cannot be.
    """
    found = bookkeeping.refresh(conn, client)
    hub = found["hub"]
    if isinstance(hub, SourceFailure) and bookkeeping.last_read(conn) is None:
        raise hub
    return found


def refresh_for(conn: psycopg.Connection, client: Client, wanted: Wanted) -> list[SourceFailure]:
    """Read the catalogue where what is wanted may need it; sources that failed.

    Raises:
        SourceFailure: it never was read, and cannot be.
    """
    before = bookkeeping.last_read(conn)
    if not wanted or (before and datetime.now(UTC) - before < FRESH):
        return []
    return [x for x in refresh(conn, client).values() if isinstance(x, SourceFailure)]


def fetch(conn: psycopg.Connection, client: Client, item: Known, bar: Bar = silent) -> Copy:
    """Have an item in the archive, and note it; or note why it did not come.

    Raises:
        SourceFailure, InvalidInput: as archive.fetch.
    """
    try:
        copy = archive.fetch(item, client, bar)
    except InvalidInput as error:
        bookkeeping.failed(conn, [item.item_id], str(error))
        raise
    bookkeeping.archived(
        conn,
        item,
        sha256=copy.sha256,
        path=copy.path.relative_to(archive.folder()),
        size=copy.bytes,
        seconds=copy.seconds,
    )
    return copy
