"""Imports run downwards, from api, bench and scripts to loaders: BELOW says whom a room may import.

Belongs here: who may import whom. Not here: what a room holds (docs/architecture.md).
"""

import ast
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
BELOW = {
    "loaders": set(),
    "alerts": {"loaders"},
    "forecasting": {"loaders"},
    "learning": {"loaders"},
    "server": {"loaders"},
    "reports": {"loaders", "server"},
    "exports": {"loaders", "server"},
    "health": {"loaders", "alerts", "server"},
    "dagster_pipeline": {
        *("loaders", "alerts", "forecasting", "learning", "server", "reports", "health")
    },
    "scripts": {"loaders", "alerts", "server", "dagster_pipeline"},
    "bench": {"loaders", "api", "alerts", "forecasting", "server", "dagster_pipeline"},
    "api": {"loaders", "alerts", "reports", "server", "exports"},
    "bi": {"loaders", "server", "dagster_pipeline"},
}
"""Room → the rooms that it may import, besides itself."""
OURS = {*BELOW, "tests"}


def imported(file: Path) -> set[str]:
    """The rooms that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
    return names & OURS


def test_what_superset_runs_imports_no_room_of_ours() -> None:
    assert {name for f in (CLONE / "bi" / "inside").glob("*.py") for name in imported(f)} == set()


@pytest.mark.parametrize("room", BELOW)
def test_a_room_imports_only_what_is_below_it(room: str) -> None:
    files = sorted((CLONE / room).rglob("*.py"))
    assert files
    wrong = {
        f"{file.relative_to(CLONE)}: {name}"
        for file in files
        for name in imported(file) - BELOW[room] - {room}
    }
    assert wrong == set()


@pytest.mark.parametrize("room", ["loaders", "alerts", "reports", "exports", "health", "api"])
def test_the_gate_the_alerts_and_the_api_know_nothing_of_dagster_and_dbt(room: str) -> None:
    text = "".join(f.read_text(encoding="utf-8") for f in (CLONE / room).rglob("*.py"))
    assert "import dagster" not in text
    assert "import dbt" not in text
