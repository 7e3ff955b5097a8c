"""Files landed two at a time, with the end of one after the other.

Belongs here: whose turn it is, ending early. Not here: how a file lands (loaders/bdgd).
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Condition
from typing import TypeVar

from loaders.bdgd import landing as bdgd

T = TypeVar("T")

ABREAST = 2
"""While one file's rows are written another one is read; more of them only wait for each other."""


class _Turns:
    """Locks of safras are taken in the files' order: of two files of a safra the later one stays.

    A file keeps its turn until it has its locks, or has ended without any.
    """

    def __init__(self) -> None:
        self._next = 0
        self._stopped = False
        self._changed = Condition()

    def stop(self) -> None:
        """Make every file that is under way end at its next step."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def go_on(self) -> None:
        """Raise KeyboardInterrupt once stopped."""
        if self._stopped:
            raise KeyboardInterrupt

    @contextmanager
    def of(self, number: int) -> Iterator[None]:
        """Wait for a file's turn, which ends with the context; a second time it is over at once."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._next >= number)
        self.go_on()
        try:
            yield
        finally:
            with self._changed:
                self._next = max(self._next, number + 1)
                self._changed.notify_all()

    @contextmanager
    def watched(
        self, progress: bdgd.Progress, layer: str, rows: int
    ) -> Iterator[Callable[[int], None]]:
        """A landing's progress that ends it when stopped."""
        self.go_on()
        with progress(layer, rows) as advance:

            def step(rows: int) -> None:
                self.go_on()
                advance(rows)

            yield step


def landed(
    work: Callable[[Path, bdgd.Options], T], files: Sequence[tuple[Path, bdgd.Options]]
) -> Generator[T, None, None]:
    """What ``work`` makes of each file, in their order.

    One alone is landed by the caller's own thread, which Ctrl-C ends at once; of several, those
    under way end at their next step, and nothing of them has landed.

    Raises:
        BaseException: what ``work`` raised.
    """
    if len(files) == 1:
        yield work(*files[0])
        return
    turns = _Turns()

    def one(number: int, path: Path, options: bdgd.Options) -> T:
        watched = partial(turns.watched, options.progress)
        try:
            return work(path, replace(options, turn=partial(turns.of, number), progress=watched))
        finally:
            with turns.of(number):
                pass

    with ThreadPoolExecutor(ABREAST, "carga") as threads:
        under_way = [threads.submit(one, n, *file) for n, file in enumerate(files)]
        try:
            for file in under_way:
                yield file.result()
        finally:
            turns.stop()
            threads.shutdown(wait=False, cancel_futures=True)
