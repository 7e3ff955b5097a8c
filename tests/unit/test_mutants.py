"""The planted faults that must be noticed have a place in today's source."""

import re
from pathlib import Path

import pytest

from tests.mutants import sql
from tests.mutants.known import FAULTS, Known

CLONE = Path(__file__).resolve().parent.parent.parent
MACRO = re.compile(r"\{%-?\s*macro (\w+)\(.*?\{%-?\s*endmacro\s*-?%\}", re.DOTALL)
SOURCES = {
    f"{found[1]}()": found[0]
    for path in (CLONE / "macros").glob("*.sql")
    for found in MACRO.finditer(path.read_text())
} | {path.stem: path.read_text() for path in (CLONE / "dbt_project" / "models").rglob("*.sql")}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_known_fault_has_its_place(fault: Known) -> None:
    assert fault.plant(SOURCES[fault.where]) != SOURCES[fault.where]


def test_nothing_is_planted_where_the_parse_has_read_already() -> None:
    """A config, with its hooks and their parentheses; the query after it is what is changed."""
    config = "{{ config(meta={'m': '(a < 1)'}, post_hook=\"b > {{ c() }}\", x='d <= 2') }}"
    changed = [text for _, text in sql.mutants(f"{config}\nselect a from t where a < 1")]
    assert changed
    assert all(text.startswith(config) for text in changed)
