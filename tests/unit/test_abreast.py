"""Files landed two at a time end as if one had waited for the other."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Event

import pytest

from dagster_pipeline import abreast
from loaders.bdgd.landing import Options

PATIENCE_S = 60


def files(count: int) -> list[tuple[Path, Options]]:
    """Files 0, 1, … with options."""
    return [(Path(str(n)), Options()) for n in range(count)]


def test_locks_are_taken_in_the_files_order_whichever_is_faster() -> None:
    """File 1 stands before its locks while file 0 is still being read: it must wait."""
    second_is_there, taken = Event(), []

    def work(path: Path, options: Options) -> str:
        if path.name == "0":
            assert second_is_there.wait(PATIENCE_S)
        second_is_there.set()
        with options.turn():
            taken.append(path.name)
        return path.name

    assert list(abreast.landed(work, files(5))) == list("01234")
    assert taken == list("01234")


def test_a_file_that_fails_before_its_locks_keeps_nobody_waiting() -> None:
    """Already landed, or unreadable: the turn goes on, and the error is its caller's to note."""

    def work(path: Path, options: Options) -> str:
        if path.name == "1":
            return "refused"
        with options.turn():
            return path.name

    assert list(abreast.landed(work, files(4))) == ["0", "refused", "2", "3"]


def test_two_are_under_way_at_once() -> None:
    """Neither ends before the other has begun."""
    both = Barrier(2, timeout=PATIENCE_S)
    assert list(abreast.landed(lambda path, _: both.wait() >= 0 and path.name, files(2))) == [
        "0",
        "1",
    ]


def test_one_alone_is_the_callers_own_thread() -> None:
    """So that Ctrl-C ends it wherever it stands, not at its next step."""
    given = [(Path("0"), Options(turn=nullcontext))]
    assert list(abreast.landed(lambda _, options: options, given)) == [given[0][1]]


@pytest.mark.parametrize("step", ["layer", "rows"])
def test_an_interrupted_batch_ends_what_is_under_way_and_begins_no_other(step: str) -> None:
    """File 1 is between two steps, file 2 waits for its turn: both roll back; 3 is never opened."""
    reading, waiting, begun, interrupted = Event(), Event(), [], []

    def read_on(options: Options) -> None:
        reading.set()
        if step == "layer":
            while True:
                with options.progress("UCBT", 10):
                    pass
        with options.progress("UCBT", 10) as advance:
            while True:
                advance(5)

    def work(path: Path, options: Options) -> None:
        begun.append(path.name)
        try:
            if path.name == "1":
                read_on(options)
            if path.name == "2":
                waiting.set()
            with options.turn():
                pass
        except KeyboardInterrupt:
            interrupted.append(path.name)
            raise

    landings = abreast.landed(work, files(4))
    next(landings)
    assert reading.wait(PATIENCE_S)
    assert waiting.wait(PATIENCE_S)
    with pytest.raises(KeyboardInterrupt):
        landings.throw(KeyboardInterrupt())
    assert sorted(interrupted) == ["1", "2"]
    assert begun == ["0", "1", "2"]


def test_progress_of_the_files_own_still_hears_every_step() -> None:
    """What a caller wants to see is not lost in the watching."""
    heard: list[int] = []

    def listening(_: str, rows: int) -> "nullcontext[Callable[[int], None]]":
        heard.append(rows)
        return nullcontext(heard.append)

    def work(_: Path, options: Options) -> None:
        with options.progress("UCAT", 7) as advance:
            advance(3)

    given = [(path, replace(options, progress=listening)) for path, options in files(2)]
    list(abreast.landed(work, given))
    assert sorted(heard) == [3, 3, 7, 7]
