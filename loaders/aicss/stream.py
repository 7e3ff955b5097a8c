"""What never ends: readings that arrive one by one, landed in small batches, a transaction each.

Belongs here: batches, the ledger's one row per stream, a database that goes away and comes back.
Not here: where readings come from (serial.py, mqtt.py), what lands (landing.py).
"""

import copy
import hashlib
import logging
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, repeat
from queue import Empty, Queue
from time import monotonic
from typing import TypeVar

import psycopg

from loaders import connection as db
from loaders import removal
from loaders.aicss import landing
from loaders.aicss import text as aicss_text
from loaders.aicss.reading import Origin
from loaders.aicss.records import Record
from loaders.aicss.statements import COUNT_STREAM, REGISTER_STREAM
from loaders.errors import DatabaseFailure

BATCH_S = 1.0
"""A reading is in the database this long after it came."""
REPORT_S = 60.0
_PAUSES_S = (1, 2, 4, 8, 15, 30)

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass
class Stream:
    """One run of a stream: its row in the ledger, and what it has landed so far.

    Attributes:
        name: what raw and the ledger call it; it holds the moment it began, so that line 1 of one
            run is not line 1 of another.
        shape: ``serial``, ``csv``, ``json`` or ``mqtt``.
        device: the device of records that name none.
        start: instant of the first record of a stream without times, one second each.
        total: what became of all records.
    """

    name: str
    shape: str
    device: str | None = None
    start: datetime | None = None
    total: landing.Result = field(default_factory=landing.Result)
    going: landing.Going = field(default_factory=landing.Going)
    noise: Counter[str] = field(default_factory=Counter)
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    _number: int | None = None

    def land(
        self,
        conn: psycopg.Connection,
        records: Iterable[Record],
        *,
        raw: bytes,
        repeated: int = 0,
        along: Callable[[psycopg.Connection], object] = lambda _: None,
    ) -> landing.Result:
        """Land a batch whole, in one transaction; when that fails nothing of it counts.

        Args:
            conn: in autocommit mode.
            records: the batch.
            raw: the bytes that it came as.
            repeated: records of it that were left out because they have landed before.
            along: what else is written in the same transaction.
        """
        digest, going = self._digest.copy(), copy.deepcopy(self.going)
        digest.update(raw)
        now = datetime.now(UTC)
        with conn.transaction():
            origin = Origin(self.device, self.start, now)
            result = landing.land_records(conn, records, file=self.name, origin=origin, going=going)
            result = replace(
                result,
                registros=result.registros + repeated,
                repetidas=result.repetidas + repeated,
            )
            total = replace(self.total + result, ruido=self.noise[aicss_text.NOISE])
            number = self._number or self._register(conn, now)
            conn.execute(COUNT_STREAM, (digest.hexdigest(), *total.counts, number))
            along(conn)
            example = removal.take_example_away(conn) if self._number is None else None
        self.going, self.total, self._digest, self._number = going, total, digest, number
        removal.finish(conn, example)
        return result

    def _register(self, conn: psycopg.Connection, now: datetime) -> int:
        values = ("", self.name, self.device, self.start, self.shape, now)
        return conn.execute(REGISTER_STREAM, values).fetchone()[0]

    def __str__(self) -> str:
        """One line for a person: the counts."""
        counts = zip(landing.COUNTS, self.total.counts, strict=True)
        return f"{self.name}: " + ", ".join(f"{n} {name}" for name, n in counts)


def begun(source: str) -> str:
    """A stream's name: its source and the moment it began."""
    return f"{source} {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


@contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """SIGINT and SIGTERM set ``stop``: what has come lands, and the command ends by itself."""
    before = {s: signal.signal(s, lambda *_: stop.set()) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Database:
    """The connection of a stream: a server that goes away is waited for."""

    def __init__(self, conn: psycopg.Connection, stop: threading.Event) -> None:
        """A connection that is prepared; ``stop`` ends the waiting."""
        self._conn, self._stop = conn, stop

    def use(self, work: Callable[[psycopg.Connection], T]) -> T:
        """Run a piece of work, again and again while no server answers.

        Raises:
            DatabaseFailure: stopped while waiting.
        """
        for pause in chain(_PAUSES_S, repeat(_PAUSES_S[-1])):
            try:
                if self._conn.closed:
                    self._conn = db.connect()
                return work(self._conn)
            except (psycopg.OperationalError, psycopg.InterfaceError, DatabaseFailure) as error:
                self._conn.close()
                said = " ".join(str(error).split())
            log.warning("%s; nada se perdeu, nova tentativa em %d s", said, pause)
            if self._stop.wait(pause):
                raise DatabaseFailure(
                    f"parado sem banco ({said}): o que chegou por último não aterrissou"
                )
        raise AssertionError("the pauses never end")

    def close(self) -> None:
        """Close the connection."""
        self._conn.close()


def batch(
    queue: "Queue[T]", *, most: int, idle: tuple[int, float] | None = None, wait: float = BATCH_S
) -> list[T]:
    """What arrives within ``wait`` seconds of the first, ``most`` at the most; none: no first one.

    Args:
        queue: where it arrives.
        most: no more than this.
        idle: (n, s): with n of them, s seconds without another end the batch too.
        wait: seconds, for the first one and again after it.
    """
    try:
        found = [queue.get(timeout=wait)]
    except Empty:
        return []
    end = monotonic() + wait
    while len(found) < most:
        left = end - monotonic()
        if idle and len(found) >= idle[0]:
            left = min(left, idle[1])
        try:
            found.append(queue.get(timeout=left) if left > 0 else queue.get_nowait())
        except Empty:
            break
    return found
