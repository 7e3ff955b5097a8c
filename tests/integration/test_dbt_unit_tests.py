"""dbt's unit tests, each one a test here: builds leave them out, so this is what runs them.

Not here: the cases; they stand in the models' yml.
"""

import re
from collections.abc import Mapping

import pytest

from tests.integration import warehouse as a

NAMES = sorted(
    name
    for path in (a.CLONE / "dbt_project" / "models").rglob("*.yml")
    if "unit_tests:" in (text := path.read_text(encoding="utf-8"))
    for name in re.findall(r"^  - name: (\w+)$", text.split("unit_tests:")[1], re.MULTILINE)
)


@pytest.fixture(scope="module")
def nodes(warehouse: a.Warehouse) -> Mapping[str, tuple[str, str]]:
    """Unit test → status and message, from one run of all."""
    done = warehouse.dbt("test", "--select", "test_type:unit")
    assert done.nodes, done.text
    return {name: said for name, said in done.nodes.items() if "-on-run-" not in name}


@pytest.mark.parametrize("name", NAMES)
def test_unit(nodes: Mapping[str, tuple[str, str]], name: str) -> None:
    status, message = nodes[name]
    assert status == "pass", message


def test_none_is_left_out(nodes: Mapping[str, tuple[str, str]]) -> None:
    """The names are read off the yml, dbt knows its own."""
    assert sorted(nodes) == NAMES
