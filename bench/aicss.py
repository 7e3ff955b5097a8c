"""AICSS readings: landing a CSV of them, against bare COPY of the same file.

Belongs here: these figures, and made-up readings. Not here: what is built of them (dbt).
"""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.measure import BenchError, Figure, Run, clock, s
from bench.warehouse import CLONE, Bench

NAME = "aicss"
ABOUT = """\
Ours: `python -m loaders aicss`: every reading parsed, checked, counted twice, kept once. Bare: COPY
of the same CSV into a table without keys. One reading per UC of the size."""
PERIOD, DEVICES = timedelta(seconds=1), 10


def minutes(bench: Bench, ucs: int) -> float:
    """How long this takes, about."""
    return ucs / 1e6


def readings(path: Path, how_many: int) -> None:
    """Write that many readings of ten devices, one a second each, as CSV."""
    start = datetime(2025, 1, 1, 3, tzinfo=UTC)
    with path.open("w", encoding="utf-8") as file:
        file.write("device_id,timestamp,luz,distancia\n")
        for n in range(how_many):
            step, device = divmod(n, DEVICES)
            moment = f"{start + step * PERIOD:%Y-%m-%dT%H:%M:%SZ}"
            file.write(f"bancada-{device},{moment},{(n * 7919) % 4096},{2 + (n * 104729) % 399}\n")


def measure(bench: Bench, ucs: int) -> list[Figure]:
    """Take the figures of one size: seconds, and the peak memory of the loader."""
    file = bench.folder / f"leituras_{ucs}.csv"
    readings(file, ucs)
    try:
        with bench.connect(bench.built(ucs)) as conn:
            env = {**os.environ, "PGDATABASE": conn.info.dbname}
            ours, memory = landed(file, env)
            conn.execute("create temp table bruta (d text, t timestamptz, l float8, x float8)")

            def bare() -> None:
                copied = "copy bruta from stdin (format csv, header)"
                with conn.cursor().copy(copied) as copy, file.open("rb") as source:
                    while chunk := source.read(1 << 20):
                        copy.write(chunk)

            other: Run = clock(bare)
    finally:
        file.unlink()
    what = f"AICSS readings land vs bare COPY ({memory} MB at most)"
    return [
        Figure(
            group=NAME,
            ucs=ucs,
            what=what,
            ours=s(ours),
            other=s(other.seconds),
            value=ours / other.seconds,
        )
    ]


def landed(file: Path, env: dict[str, str]) -> tuple[float, int]:
    """Seconds and the greatest resident megabytes of a landing in a process of its own."""
    command = [sys.executable, "-m", "loaders", "aicss", str(file)]
    script = (
        "import resource, subprocess, sys, time; t = time.monotonic();"
        "c = subprocess.run(sys.argv[1:]).returncode;"
        "m = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss;"
        "print('medido', c, time.monotonic() - t, m // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command], cwd=CLONE, env=env, capture_output=True, text=True
    )
    found = re.search(r"medido (\d+) ([\d.]+) (\d+)", done.stdout)
    if not found or found[1] != "0":
        raise BenchError(f"the landing failed: {done.stderr[-500:]}")
    return float(found[2]), int(found[3])
