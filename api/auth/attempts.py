"""How often something was tried of late, counted for all processes at once: app.tentativa.

Belongs here: that table as a storage of the library ``limits``. Not here: which limits there are
(routes.py), forgetting (server/retention.py).
"""

from time import time
from typing import Any

import psycopg
from limits.storage import Storage
from limits.storage.base import MovingWindowSupport
from psycopg_pool import ConnectionPool

from api.auth.users import digest

_ENTER = """
    with janela as (
        select count(*) as quantas from app.tentativa
        where chave = %(chave)s and quando > clock_timestamp() - make_interval(secs => %(segundos)s)
    )
    insert into app.tentativa (chave)
    select %(chave)s from janela, generate_series(1, %(mais)s)
    where janela.quantas + %(mais)s <= %(limite)s
    returning true"""
_WINDOW = """
    select coalesce(extract(epoch from min(quando)), 0)::float8, count(*) from app.tentativa
    where chave = %s and quando > clock_timestamp() - make_interval(secs => %s)"""


class Attempts(Storage, MovingWindowSupport):
    """A moving window over the attempts of the last seconds; the keys are kept as digests."""

    STORAGE_SCHEME = None

    def __init__(self, pool: ConnectionPool) -> None:
        """On connections of role intel_app."""
        super().__init__()
        self._pool = pool

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a failure of the storage is."""
        return psycopg.Error

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count one more, unless the window is full; callers of one key wait for one another."""
        mark = digest(key)
        values = {"chave": mark, "segundos": expiry, "mais": amount, "limite": limit}
        with self._pool.connection() as conn, conn.transaction():
            lock = int.from_bytes(mark[:8], signed=True)
            conn.execute("select pg_advisory_xact_lock(%s)", [lock])
            return conn.execute(_ENTER, values).fetchone() is not None

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the window's first attempt was, and how many there were."""
        with self._pool.connection() as conn:
            first, count = conn.execute(_WINDOW, [digest(key), expiry]).fetchone()
        return first or time(), count

    def get(self, key: str) -> int:
        """How many are kept of a key."""
        query = "select count(*) from app.tentativa where chave = %s"
        with self._pool.connection() as conn:
            return conn.execute(query, [digest(key)]).fetchone()[0]

    def clear(self, key: str) -> None:
        """Forget a key."""
        with self._pool.connection() as conn:
            conn.execute("delete from app.tentativa where chave = %s", [digest(key)])

    def reset(self) -> int:
        """Forget all; how many."""
        with self._pool.connection() as conn:
            return conn.execute("delete from app.tentativa").rowcount

    def check(self) -> bool:
        """Whether it answers."""
        return self.get("") == 0

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Not used by a moving window."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> Any:  # noqa: ANN401 - the library's
        """Not used by a moving window."""
        raise NotImplementedError
