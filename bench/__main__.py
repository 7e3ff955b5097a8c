"""`make bench`: which groups run, at which sizes, within what time.

Belongs here: options, order, restart. Not here: any measuring. Each group stores its figures when
it ends, so a run that was broken off goes on with ``--so`` where it stopped.
"""

import hashlib
import logging
import os
import shlex
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Annotated

import psycopg
import typer

from bench import (
    aicss,
    api,
    batch,
    landing,
    monthly,
    queries,
    report,
    safras,
    sizes,
    warehouse,
    whole,
)
from bench.measure import BenchError, say
from server import messages

GROUPS: dict[str, ModuleType] = {
    module.NAME: module
    for module in (landing, whole, batch, monthly, safras, queries, sizes, aicss, api)
}
OF_LARGEST = {batch.NAME, safras.NAME, queries.NAME, sizes.NAME, aicss.NAME, api.NAME}
"""Groups that are measured once: at the largest size, or (safras) at a size of their own."""


def default_folder() -> Path:
    """A place on disk of this clone's own; /tmp may be memory."""
    base = Path("/var/tmp") if Path("/var/tmp").is_dir() else Path(tempfile.gettempdir())
    mark = hashlib.sha256(str(warehouse.CLONE).encode()).hexdigest()[:8]
    return base / f"intel-lead-bench-{mark}"


def plan(chosen: list[str], ucs: list[int]) -> list[tuple[str, int]]:
    """Group and size of each measurement, in order."""
    unknown = set(chosen) - GROUPS.keys()
    if unknown:
        raise typer.BadParameter(f"no group {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    wanted = [group for group in GROUPS if not chosen or group in chosen]
    return [
        (group, size)
        for group in wanted
        for size in ([max(ucs)] if group in OF_LARGEST else sorted(ucs))
    ]


def measure(bench: warehouse.Bench, steps: list[tuple[str, int]], *, minutes: float) -> list[str]:
    """Take the figures of each step and store them; returns what was not done, and why."""
    results, start, undone = bench.folder / "results.json", time.monotonic(), []
    taken = report.session(bench, "python -m bench " + shlex.join(sys.argv[1:]))
    for group, ucs in steps:
        spent, needed = (time.monotonic() - start) / 60, GROUPS[group].minutes(bench, ucs)
        name = f"{group}, {ucs:,} UCs"
        if spent + needed > minutes:
            undone.append(f"{name}: about {needed:.0f} min, {minutes - spent:.0f} left")
            continue
        say(f"[bold]{name}[/] (about {needed:.0f} min)")
        try:
            figures = GROUPS[group].measure(bench, ucs)
        except (BenchError, OSError, psycopg.Error) as error:
            undone.append(f"{name}: {error}")
            continue
        report.show(figures)
        found = report.store(results, taken, figures)
        report.write(found, {n: m.ABOUT for n, m in GROUPS.items()})
    return undone


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    *,
    chosen_sizes: Annotated[
        str, typer.Option("--tamanhos", help="sizes, UCs; 2000000 if you have hours")
    ] = ("100000,500000"),
    so: Annotated[
        list[str] | None, typer.Option(help=f"only this group, repeatable: {', '.join(GROUPS)}")
    ] = None,
    rounds: Annotated[
        int, typer.Option("--repeticoes", min=1, help="how often each way is run")
    ] = 3,
    chosen_folder: Annotated[
        Path | None, typer.Option("--dir", help="where files and the cluster go, 30 GB free")
    ] = None,
    others: Annotated[
        int, typer.Option("--outras", help="safras in the warehouse with many")
    ] = 300,
    leads: Annotated[int, typer.Option(help="UCs of the safra added to it")] = 20_000,
    minutes: Annotated[
        float, typer.Option("--minutos", help="begin no group that would end later")
    ] = 240,
) -> None:
    """Measure ours and the usual ways side by side; writes docs/benchmarks.md."""
    logging.basicConfig(level=logging.WARNING)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the cluster is stopped
    steps = plan(so or [], [int(size) for size in chosen_sizes.split(",")])
    folder = (chosen_folder or default_folder()).resolve()
    warehouse.prepare(folder)
    if (load := os.getloadavg()[0]) > 1.5:
        say(f"[bold red]load is {load:.1f}[/]: something else runs here, the figures will be noise")
    with warehouse.cluster(folder) as cluster:
        bench = warehouse.Bench(
            folder=folder, cluster=cluster, rounds=rounds, others=others, leads=leads
        )
        total = sum(GROUPS[group].minutes(bench, ucs) for group, ucs in steps)
        say(f"{len(steps)} steps, about {total:.0f} minutes, at most {minutes:.0f}; in {folder}")
        undone = measure(bench, steps, minutes=minutes)
    for line in undone:
        say(f"[bold red]not done:[/] {line}")
    say(f"told in {report.PAGE}")
    sys.exit(1 if undone else 0)


if __name__ == "__main__":
    try:
        app()
    except (BenchError, messages.PostgresError) as error:
        sys.exit(str(error))
