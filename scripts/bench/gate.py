"""What the landing gate, Great Expectations on what landed, adds to a safra's time by `make run`.

Belongs here: that share, and the phases of `make run`. Not here: the command without the gate
(no_gate.py).
"""

import re
import statistics
from pathlib import Path

from scripts.bench.measure import Figure, s, say
from scripts.bench.warehouse import READY, Bench

NAME = "gate"
ABOUT = """\
`make run FILE`, as a person gives it, into a warehouse whose domains are there: landing, the
landing gate, build, tests and publication, rollups, and Dagster's record of it all; the phases are
those that it says itself at its end. The gate costs its step, `check`, and the comparison that
landing makes: the same command ran in turns with a gate that approves of everything unseen
(`scripts/bench/no_gate.py`). What the gate catches: docs/gate.md."""


def minutes(bench: Bench, ucs: int) -> float:
    """How long this takes, about."""
    return _rounds(bench, ucs) * 2 * (0.6 + ucs * 1.7 / 1e6)


def _rounds(bench: Bench, ucs: int) -> int:
    return bench.rounds if ucs <= 200_000 else min(bench.rounds, 2 if ucs <= 600_000 else 1)


def measure(bench: Bench, ucs: int) -> list[Figure]:
    """Take the figures of one size."""
    rounds: dict[str, list[dict[str, float]]] = {"run": [], "no_gate": []}
    for _ in range(_rounds(bench, ucs)):
        for name, program in (("run", "scripts.run"), ("no_gate", "scripts.bench.no_gate")):
            bench.fresh(READY)
            run = bench.python(name, program, bench.file(ucs))
            phases = _phases(bench.folder / "logs" / f"{name}.log")
            rounds[name].append(phases | {"whole": run.seconds})
            say(f"  {name}: {run.seconds:.1f} s, {phases}")
    took, without = (
        {phase: statistics.median(run[phase] for run in runs) for phase in runs[0]}
        for runs in rounds.values()
    )
    return figures(ucs, took, without)


def figures(ucs: int, took: dict[str, float], without: dict[str, float]) -> list[Figure]:
    """From the seconds of each phase with the gate and without it, ``whole`` the process's."""
    phases = [name for name in took if name != "whole"]
    gate = took["land"] + took["check"] - without["land"]
    safra = took["land"] + took["check"] + took["build"]
    return [
        Figure(
            group=NAME,
            ucs=ucs,
            what="`make run FILE`: " + ", ".join(phases),
            ours=", ".join(s(took[name]) for name in phases),
            other="",
            value=took["whole"],
            unit="s",
        ),
        Figure(
            group=NAME,
            ucs=ucs,
            what="what the landing gate adds, of land, check, build and rollups",
            ours=s(gate),
            other=s(safra + took["marts"]),
            value=100 * gate / (safra + took["marts"]),
            unit="%",
        ),
        Figure(
            group=NAME,
            ucs=ucs,
            what="the same, rollups left out",
            ours=s(gate),
            other=s(safra),
            value=100 * gate / safra,
            unit="%",
        ),
    ]


def _phases(log: Path) -> dict[str, float]:
    """The line that `make run` ends with: ``seconds: start 2.6, land 1.7, …``."""
    (line,) = re.findall(r"^seconds: (.*)$", log.read_text(), re.MULTILINE)
    return {name: float(took) for name, took in re.findall(r"(\w+) ([\d.]+)", line)}
