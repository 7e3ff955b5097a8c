"""The figures told: a table on the screen, docs/benchmarks.md, and what earlier runs measured.

Belongs here: storing and writing. Not here: measuring.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from bench.measure import Figure
from bench.sizes import COUNTRY, VINTAGES
from bench.sizes import NAME as SIZES
from bench.warehouse import CLONE, Bench

PAGE = CLONE / "docs" / "benchmarks.md"
PACKAGES = ("pyogrio", "pyarrow", "pandas", "psycopg", "dbt-core", "dbt-postgres", "dagster")
WIDTH = 100


@dataclass(frozen=True)
class Session:
    """Where and how a set of figures was measured."""

    when: str
    command: str
    machine: str
    versions: str


def session(bench: Bench, command: str) -> Session:
    """Describe this run."""
    with bench.connect("postgres") as conn:
        server = conn.execute("show server_version").fetchone()[0]
        postgis = _postgis(conn)
    commit = _output("git", "-C", str(CLONE), "describe", "--always", "--dirty") or "?"
    parts = [f"commit {commit}", f"Python {platform.python_version()}", f"PostgreSQL {server}"]
    parts += [f"PostGIS {postgis}", _output("ogr2ogr", "--version").split(",")[0]]
    parts += [f"{name} {metadata.version(name)}" for name in PACKAGES]
    load = os.getloadavg()[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return Session(
        when=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        command=command,
        machine=f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GB, load {load:.1f} before;"
        f" {platform.system()} {platform.release()}; median of {bench.rounds}",
        versions=", ".join(part for part in parts if part),
    )


def _postgis(conn: psycopg.Connection) -> str:
    query = "select default_version from pg_available_extensions where name = 'postgis'"
    return (conn.execute(query).fetchone() or ("?",))[0]


def _output(*command: str) -> str:
    if not shutil.which(command[0]):
        return ""
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", info.read_text()) if info.exists() else None
    return found.group(1).strip() if found else platform.machine()


# Results ------------------------------------------------------------------------------------------


def load(file: Path) -> list[tuple[Session, Figure]]:
    """What is stored."""
    if not file.exists():
        return []
    return [(Session(**x["session"]), Figure(**x["figure"])) for x in json.loads(file.read_text())]


def store(file: Path, taken: Session, figures: list[Figure]) -> list[tuple[Session, Figure]]:
    """Put figures in the place of those of the same group and size."""
    places = {(f.group, f.ucs) for f in figures}
    kept = [(t, f) for t, f in load(file) if (f.group, f.ucs) not in places]
    found = kept + [(taken, f) for f in figures]
    rows = [{"session": asdict(t), "figure": asdict(f)} for t, f in found]
    file.write_text(json.dumps(rows, indent=1, ensure_ascii=False))
    return found


# Telling ------------------------------------------------------------------------------------------

HEADINGS = ("UCs", "what", "ours", "the other", "value", "target", "")


def cells(figure: Figure) -> tuple[str, ...]:
    """One line of the table."""
    sign = "≥" if figure.at_least else "≤"
    target = "" if figure.target is None else f"{sign} {figure.target:g} {figure.unit}"
    digits = 0 if figure.unit not in ("×", "s") else 2 if figure.value < 10 else 1
    value = f"{figure.value:,.{digits}f} {figure.unit.strip()}"
    return (
        f"{figure.ucs:,}",
        figure.what,
        figure.ours,
        figure.other,
        value,
        target,
        figure.verdict,
    )


def show(figures: Iterable[Figure]) -> None:
    """The table on stdout."""
    table = Table(box=None, pad_edge=False, title="bench", title_justify="left")
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading in ("UCs", "value") else "left")
    for figure in figures:
        style = {None: None, True: "green", False: "bold red"}[figure.met]
        table.add_row(*cells(figure), style=style)
    Console(width=170 if not os.isatty(1) else None).print(table)


def write(found: list[tuple[Session, Figure]], about: Mapping[str, str]) -> None:
    """Write docs/benchmarks.md from all that is stored."""
    lines = [
        "# Benchmarks",
        "",
        *_paragraph(
            "Written by `make bench`; do not edit. Seconds depend on the machine, ratios less so:"
            " each figure compares ways that ran in turns (A B A B), on a PostgreSQL of the"
            " bench's own with production's settings, fsync on. Files are synthetic"
            " (`python -m loaders sintetico`), with the usual faults."
        ),
        *_judgement([f for _, f in found if f.met is not None]),
    ]
    for group, text in about.items():
        figures = [(t, f) for t, f in found if f.group == group]
        if figures:
            lines += ["", f"## {group}", "", *_paragraph(text), "", *_table(f for _, f in figures)]
            lines += _nationwide([f for _, f in figures]) if group == SIZES else []
            for taken in dict.fromkeys(t for t, _ in figures):
                said = f"`{taken.command}`, {taken.when}. {taken.machine}. {taken.versions}."
                lines += ["", *_paragraph(said)]
    PAGE.write_text("\n".join(lines) + "\n")


def _judgement(figures: list[Figure]) -> list[str]:
    missed = [f for f in figures if not f.met]
    lines = ["", f"Targets met: {len(figures) - len(missed)} of {len(figures)}."]
    for f in missed:
        value, target, verdict = cells(f)[-3:]
        lines.append(f"- {f.what}, {f.ucs:,} UCs: {value}, wanted {target}: {verdict}")
    return lines


def _table(figures: Iterable[Figure]) -> list[str]:
    rows = [HEADINGS, ("--:", "---", "---", "---", "--:", "---", "---"), *map(cells, figures)]
    return ["| " + " | ".join(row) + " |" for row in rows]


def _nationwide(figures: list[Figure]) -> list[str]:
    """The extrapolation, from the largest size that was measured."""
    largest = max(f.ucs for f in figures)
    rows = [("table", "B/UC", "GB a year", f"GB in {VINTAGES} years"), ("---", "--:", "--:", "--:")]
    for f in figures:
        if f.ucs == largest:
            year = f.value * COUNTRY / 1e9
            rows.append((f.what, f"{f.value:,.0f}", f"{year:,.0f}", f"{year * VINTAGES:,.0f}"))
    table = ["| " + " | ".join(row) + " |" for row in rows]
    return ["", f"### {COUNTRY / 1e6:.0f} million UCs × {VINTAGES} years, on paper", "", *table]


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), WIDTH, break_on_hyphens=False)
