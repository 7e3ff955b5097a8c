"""Readings from a pipe that stays open: a serial port through ``cat``, a logger, another program.

Belongs here: which pipes are read as they come, lines → batches. Not here: files, and pipes that
end at once (command.py, landing.py), what a batch does (stream.py).
A line's time, when it brings none, is that of its arrival here.
"""

import json
import logging
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from queue import Empty, Queue
from time import monotonic
from typing import BinaryIO

import psycopg

from loaders.aicss import text as aicss_text
from loaders.aicss.records import READERS, Record, format_of, header, json_records
from loaders.aicss.stream import BATCH_S, REPORT_S, Database, Stream, batch, begun
from loaders.aicss.text import CHUNK, clean, split_lines
from loaders.errors import InvalidInput

WHOLE_S = 2.0
"""A pipe that has ended by then is read as a file is: whole, in one transaction."""
MOST = 20_000
_QUEUE = 200_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Line:
    """One line and when it came."""

    data: bytes
    arrived: datetime


class Pipe:
    """A pipe read by a thread of its own, so that its lines are stamped as they come."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin to read; None in the queue is the pipe's end."""
        self.queue: Queue[Line | None] = Queue(_QUEUE)
        self.head: list[Line] = []
        # Without its buffer, whose lock the thread would hold when the process ends; the buffer is
        # kept, for it closes the pipe when it goes.
        self._file, self._source = file, getattr(file, "raw", file)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        rest = b""
        while chunk := self._source.read(CHUNK):
            rest = self._put(rest + chunk, last=False)
        self._put(rest, last=True)
        self.queue.put(None)

    def _put(self, data: bytes, *, last: bool) -> bytes:
        *whole, rest = split_lines(data, last=last)
        now = datetime.now(UTC)
        for k, line in enumerate([*whole, rest] if last and rest else whole):
            # One microsecond apart: lines that arrive together are still different readings.
            self.queue.put(Line(line, now + timedelta(microseconds=k)))
        return rest

    def shape_of_lines(self) -> str | None:
        """The shape of a pipe that is to be read as it comes; None: it ended, ``head`` is all.

        A JSON value over several lines is waited for to its end, whenever that comes.
        """
        end, told = monotonic() + WHOLE_S, False
        while True:
            try:
                line = self.queue.get(timeout=max(0.05, end - monotonic()))
            except Empty:
                line = self.head and self.head[-1]
            else:
                if line is None:
                    return None
                self.head.append(line)
            if monotonic() < end or not line:
                continue
            shape = format_of(x.data.decode("utf-8", "replace") for x in self.head[:200])
            if shape and (shape != "json" or _one_a_line(self.head)):
                return shape
            if not told and len(self.head) >= 10:
                log.warning(
                    "-: nenhuma leitura reconhecida até agora; confira a velocidade da porta"
                )
                told = True
            end = monotonic() + WHOLE_S

    def whole(self) -> BinaryIO:
        """All of a pipe that ended, as a seekable file."""
        copied = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        copied.writelines(line.data for line in self.head)
        copied.seek(0)
        return copied


def _one_a_line(lines: list[Line]) -> bool:
    try:
        json.loads(next(x.data for x in lines if x.data.lstrip()[:1] in (b"{", b"[")))
    except ValueError:
        return False
    return True


def follow(
    pipe: Pipe,
    shape: str,
    conn: psycopg.Connection,
    stop: threading.Event,
    *,
    device: str | None,
    start: datetime | None,
    say: Callable[[str], object],
) -> None:
    """Land what comes until the pipe ends or ``stop`` is set; then say what came of it.

    Raises:
        DatabaseFailure: stopped while no database answered.
    """
    stream, database = Stream(begun("-"), shape, device, start), Database(conn, stop)
    top_line = header(x.data.decode("utf-8", "replace").strip("\r\n") for x in pipe.head)
    lines, number, reported, going = list(pipe.head), 1, monotonic(), True
    say(f"{stream.name}: lendo à medida que chega ({shape}); Ctrl-C termina")
    while going or lines:
        if lines:
            records = _records(stream, lines, number, top_line if number > 1 else "")
            _check(stream, lines, records, top_line)
            whole = b"".join(x.data for x in lines)
            database.use(partial(stream.land, records=records, raw=whole))
            number += len(lines)
        if monotonic() - reported > REPORT_S:
            log.info("%s", stream)
            reported = monotonic()
        lines, going = _next(pipe, stop) if going else ([], False)
    database.close()
    say(str(stream))


def _next(pipe: Pipe, stop: threading.Event) -> tuple[list[Line], bool]:
    """The next batch, maybe empty, and whether more may come: what has come is landed first."""
    stopped = stop.is_set()
    found = batch(pipe.queue, most=MOST, wait=0.01 if stopped else BATCH_S)
    lines = [x for x in found if x is not None]
    return lines, len(lines) == len(found) and not (stopped and not lines)


def _records(stream: Stream, lines: list[Line], first: int, top_line: str) -> list[Record]:
    """The records of a batch of lines, each with its arrival; CSV knows the header of before."""
    numbered = [(first + k, clean(line.data, stream.noise)) for k, line in enumerate(lines)]
    if stream.shape == "json":
        found = [
            replace(record, line=line)
            for line, text in numbered
            for record in json_records([(line, text)])
        ]
    else:
        given = [(0, f"{top_line}\n"), *numbered] if top_line else numbered
        found = list(READERS[stream.shape](given))
    return [replace(record, arrived=lines[record.line - first].arrived) for record in found]


def _check(stream: Stream, lines: list[Line], records: list[Record], top_line: str) -> None:
    """Compare the records with a count of lines that the reader has no part in.

    Raises:
        InvalidInput: the reader lost one; a line of JSON may hold several.
    """
    whole = BytesIO(b"".join(line.data for line in lines))
    there = aicss_text.count_lines(whole, top_line if stream.shape == "csv" else "")
    if len(records) < there or (stream.shape != "json" and len(records) > there):
        raise InvalidInput(
            f"{stream.name}: chegaram {there} linhas e a leitura deu conta de {len(records)}; o que"
            " veio antes ficou: guarde estas linhas e relate o defeito"
        )
