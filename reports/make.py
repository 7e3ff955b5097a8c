"""Reports as files: asked, drawn, written.

Belongs here: the order of the steps, names of files. Not here: what any step does.
"""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg

from reports import figures, pdf
from reports.choice import Choice
from reports.page import page
from reports.period import Kind, before

EVERYTHING = Choice()


@dataclass(frozen=True)
class Made:
    """Files of one safra, and why there is no PDF among them."""

    paths: tuple[Path, ...]
    seconds: float
    problem: str = ""


def make(
    conn: psycopg.Connection,
    folder: Path,
    *,
    keys: Sequence[str] = (),
    kind: Kind = Kind.SAFRA,
    choice: Choice = EVERYTHING,
    generated_at: datetime,
) -> Iterator[Made]:
    """Make the reports of these safras, or of each distributor's newest.

    Raises:
        InvalidInput: none is published, or not one of these, or the choice is not in them.
    """
    period = before(kind, generated_at)
    choice.sections_of(kind)
    for safra in figures.chosen(conn, keys, choice.places):
        start = time.monotonic()
        with figures.snapshot(conn):
            found = figures.read(conn, safra, period, choice)
        html = page(safra, period, choice, found, generated_at)
        end = f"-{period.last_day}" if period.end else ""
        base = folder / safra.key / f"{kind}-{safra.key}{end}{choice.suffix}"
        paths = [_put(base.with_name(f"{base.name}.html"), html.encode())]
        problem = ""
        try:
            paths.append(_put(base.with_name(f"{base.name}.pdf"), pdf.written(html)))
        except pdf.CannotWrite as error:
            problem = str(error)
        yield Made(tuple(paths), time.monotonic() - start, problem)


def _put(path: Path, content: bytes) -> Path:
    """Write a file whole: who reads meanwhile has the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        half.write_bytes(content)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    return path
