"""What a build makes of real rows: every column of every table and view, against tests/golden.

Not here: how the right values were found (tests/golden), that rows are conserved (dbt's tests).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.golden import compare, make
from tests.golden.inputs import MUX, Inputs
from tests.integration import warehouse as a

SUMS = {name: compare.read(make.FOLDER / name / make.SUMS) for name in ("synthetic", "mux")}
YEARS = {"synthetic": [2020, 2022, 2023], "mux": [2024]}
CASES = [(name, table) for name in SUMS for table in sorted({line["table"] for line in SUMS[name]})]

Fetch = Callable[[str, str], list[dict]]


@pytest.fixture(scope="module")
def fetch(golden: a.Warehouse) -> Iterator[Fetch]:
    """(set, table) → its rows; each is read once."""
    read: dict[tuple[str, str], list[dict]] = {}
    with golden.connect() as conn:

        def rows(name: str, table: str) -> list[dict]:
            if (name, table) not in read:
                there = compare.fetch(conn, table, YEARS[name])
                read[name, table] = there
            return read[name, table]

        yield rows


@pytest.mark.parametrize("name", SUMS)
def test_the_files_are_those_that_the_golden_values_are_of(
    golden_inputs: Mapping[str, Inputs], name: str
) -> None:
    if name not in golden_inputs:
        pytest.skip(f"{MUX} is not there")
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in golden_inputs[name].bdgd}
    golden = {row["file"]: row["sha256"] for row in compare.read(make.FOLDER / name / make.INPUTS)}
    assert found == golden, "the generator writes other files now: python -m tests.golden.make"


def test_every_table_and_view_has_golden_values(golden: a.Warehouse) -> None:
    """A new one enters tests/golden with its model."""
    with golden.connect() as conn:
        golden = {line["table"] for sums in SUMS.values() for line in sums}
        assert set(compare.relations(conn)) == golden


@pytest.mark.parametrize(("name", "table"), CASES, ids=[f"{n}-{t}" for n, t in CASES])
def test_every_column_sums_to_its_golden_value(
    golden_inputs: Mapping[str, Inputs], fetch: Fetch, name: str, table: str
) -> None:
    """Nulls, extremes, sums, and sums weighted by the row's key: over all rows."""
    if name not in golden_inputs:
        pytest.skip(f"{MUX} is not there")
    golden = [line for line in SUMS[name] if line["table"] == table]
    said = compare.differences_of_sums(golden, compare.summarize(table, fetch(name, table)))
    assert not said, "\n".join(said)


ROWS = [
    (name, path.stem)
    for name in SUMS
    for path in sorted((make.FOLDER / name).glob("*.csv"))
    if path.name not in (make.SUMS, make.INPUTS)
]


@pytest.mark.parametrize(("name", "table"), ROWS, ids=[f"{n}-{t}" for n, t in ROWS])
def test_the_golden_rows_are_there_whole(
    golden_inputs: Mapping[str, Inputs], fetch: Fetch, name: str, table: str
) -> None:
    if name not in golden_inputs:
        pytest.skip(f"{MUX} is not there")
    golden = compare.read(Path(make.FOLDER / name / f"{table}.csv"))
    said = compare.differences_of_rows(table, golden, fetch(name, table))
    assert not said, "\n".join(said)
