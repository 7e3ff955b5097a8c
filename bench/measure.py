"""How a figure is made: processes with their seconds and peak memory, taken in turns, medians.

Belongs here: running, timing, the ratio and its target. Not here: what is run (the groups).
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console

SCREEN = Console(stderr=True, highlight=False, soft_wrap=True)
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # what getrusage counts in


class BenchError(Exception):
    """A way that is measured failed, or two ways did not do the same work."""


@dataclass(frozen=True)
class Run:
    """One way, once (or the median of several): seconds of the clock, peak memory in MB."""

    seconds: float
    rss_mb: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table.

    Attributes:
        group: the group that measured it.
        ucs: consumer units of the safra.
        what: ours against what.
        ours: what ours took, with its unit.
        other: what the other way took.
        value: the ratio (or, with ``unit`` "s", the seconds) that the target is about.
        target: None for a figure that is only told.
        at_least: whether the target is a floor, else a ceiling.
    """

    group: str
    ucs: int
    what: str
    ours: str
    other: str
    value: float
    unit: str = "×"
    target: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target

    @property
    def verdict(self) -> str:
        """Met, or by how much missed."""
        if self.met is None:
            return ""
        share = self.value / self.target - 1
        return "met" if self.met else f"missed by {abs(share):.0%}"


def say(text: str) -> None:
    """One line of progress."""
    SCREEN.print(f"[dim]{time.strftime('%H:%M:%S')}[/] {text}")


def child(command: Sequence[str | Path], env: Mapping[str, str], *, log: Path) -> Run:
    """Run a process to its end; its output goes to ``log``.

    The peak is the process's own, by wait4. It starts at this process's memory, which Linux hands
    on over fork, so nothing large may be imported here.

    Raises:
        BenchError: it failed; says the end of its log.
    """
    with log.open("w") as output:
        start = time.monotonic()
        process = subprocess.Popen(list(map(str, command)), env=env, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        end = "\n".join(log.read_text().splitlines()[-20:])
        raise BenchError(f"{' '.join(map(str, command))}: exit {process.returncode}\n{log}:\n{end}")
    return Run(seconds, usage.ru_maxrss * _RSS_UNIT / 2**20)


def alternate(rounds: int, ways: Mapping[str, Callable[[], Run]]) -> dict[str, Run]:
    """Run all ways in turns (A B A B …) and return the median of each."""
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    for number in range(1, rounds + 1):
        for name, way in ways.items():
            run = way()
            memory = f", {run.rss_mb:.0f} MB" if run.rss_mb else ""
            say(f"  {number}/{rounds} {name}: {run.seconds:.1f} s{memory}")
            runs[name].append(run)
    return {name: median(found) for name, found in runs.items()}


def median(runs: Sequence[Run]) -> Run:
    """Medians of seconds and of memory."""
    return Run(
        statistics.median(r.seconds for r in runs), statistics.median(r.rss_mb for r in runs)
    )


def clock(work: Callable[[], object]) -> Run:
    """Time a call in this process."""
    start = time.monotonic()
    work()
    return Run(time.monotonic() - start)


PATIENCE_MS = 120_000
"""A query that takes longer is given up."""
_LONG_MS = 20_000


def server_ms(connect: Callable[[], psycopg.Connection], query: str, *, rounds: int) -> float:
    """Planning and execution by the server's own clock: median in ms, after one run to warm up.

    A query of more than 20 s runs once, of more than ``PATIENCE_MS`` not to its end.

    Args:
        connect: a new session for every run, which has learned nothing of any partition yet.
        query: what to explain; names without schema are intel_lead's.
        rounds: how many runs count.
    """
    first = _explain(connect, query)
    if first > _LONG_MS:
        return first
    return statistics.median(_explain(connect, query) for _ in range(rounds))


def session_ms(conn: psycopg.Connection, query: str, *, rounds: int) -> float:
    """The whole of a query as its client sees it, in a session that ran it before: median in ms."""
    times = []
    for _ in range(rounds + 3):
        start = time.perf_counter()
        conn.execute(query).fetchall()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times[3:])


def _explain(connect: Callable[[], psycopg.Connection], query: str) -> float:
    with connect() as conn:
        conn.execute("set search_path = intel_lead, public")
        conn.execute(f"set statement_timeout = {PATIENCE_MS}")
        try:
            (plan,) = conn.execute(f"explain (analyze, timing off, format json) {query}").fetchone()
        except psycopg.errors.QueryCanceled:
            return PATIENCE_MS
    found: dict[str, Any] = plan[0]
    return found["Planning Time"] + found["Execution Time"]


def s(seconds: float) -> str:
    """Seconds for the table."""
    return f"{seconds:.1f} s"


def ms(milliseconds: float) -> str:
    """Milliseconds for the table."""
    if milliseconds == PATIENCE_MS:
        return f"given up after {PATIENCE_MS // 1000} s"
    return f"{milliseconds:,.1f} ms"


def mb(megabytes: float) -> str:
    """Memory for the table."""
    return f"{megabytes:,.0f} MB"
