"""Copies of a row are found wherever they stand, and nothing else is taken for one.

Not here: what becomes of them (test_transfer.py, integration/test_door_rows.py).
"""

from collections import Counter

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from loaders.bdgd.copies import REASON, Copies, Months
from loaders.bdgd.layers import CONJ, PONNOT, UCBT, Layer
from loaders.bdgd.transfer import Batch, pack_batch
from loaders.safra import Safra

SAFRA = Safra.from_key("401-2024")
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", 'a"b', "x\ny", "\n", '"\n', "a,b"]),
        st.sampled_from([None, "", ",", "1"]),
        st.sampled_from([None, 0.0, 1.0, 0.1 + 0.2]),
    ),
    max_size=40,
)


def land(rows: list[tuple], layer: Layer, size: int, *, keyed: bool = True) -> tuple[list, list]:
    """(landed numbers, rejected numbers) of rows that come in batches of a size."""
    copies, landed, rejected = Copies(), [], []
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        columns = {
            "cod_id" if keyed else "pac": pa.array([r[0] for r in part], pa.string()),
            "descr": pa.array([r[1] for r in part], pa.string()),
            "ene_01" if layer is UCBT else "point_x": pa.array([r[2] for r in part], pa.float64()),
        }
        if layer is CONJ:
            del columns["point_x"]
        numbers = pa.array(range(start + 1, start + 1 + len(part)), pa.int64())
        packed = pack_batch(
            Batch(SAFRA, pa.RecordBatch.from_pydict(columns), numbers), layer, copies_seen=copies
        )
        out = [r.row for r in packed.rejects if r.reason == REASON]
        rejected += out
        landed += [n for n in numbers.to_pylist() if n not in out]
    return landed, rejected


@given(ROWS, st.integers(1, 12))
def test_the_first_of_each_row_lands_and_its_copies_do_not(rows: list[tuple], size: int) -> None:
    rows = [row for row in rows if row[0].strip()]
    landed, rejected = land(rows, UCBT, size)
    first = {row: number for number, row in reversed(list(enumerate(rows, 1)))}
    assert landed == sorted(first.values())
    assert sorted(landed + rejected) == list(range(1, len(rows) + 1))


def test_points_and_sets_have_copies_too() -> None:
    rows = [("A", "x", -51.0), ("A", "x", -51.0), ("B", "x", -51.0)]
    assert land(rows, PONNOT, 2) == ([1, 3], [2])
    assert land(rows, CONJ, 2) == ([1, 3], [2])


def test_without_cod_id_two_units_that_use_nothing_are_two_units() -> None:
    rows = [("P", "x", 0.0), ("P", "x", 0.0), ("P", "x", None), ("P", "x", None)]
    rows += [("P", "x", 7.0), ("P", "x", 7.0)]
    assert land(rows, UCBT, 3, keyed=False) == ([1, 2, 3, 4, 5], [6])
    assert land(rows, PONNOT, 3, keyed=False)[1] == []


@given(
    st.lists(
        st.tuples(st.sampled_from("ABCD"), st.sets(st.integers(1, 12), max_size=4)), max_size=25
    ),
    st.integers(1, 9),
)
def test_units_with_energy_twice_in_a_month_are_counted(
    rows: list[tuple[str, set[int]]], size: int
) -> None:
    months = Months()
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        columns: dict[str, list] = {"cod_id": [code for code, _ in part]}
        for m in range(1, 13):
            columns[f"ene_{m:02d}"] = [1.5 if m in used else 0.0 for _, used in part]
        months.add(pa.RecordBatch.from_pydict(columns), UCBT)
    uses = Counter((code, m) for code, used in rows for m in used)
    assert months.overlapping() == len({code for (code, _), n in uses.items() if n > 1})


def test_rows_without_a_code_or_of_no_months_overlap_with_none() -> None:
    months = Months()
    months.add(pa.RecordBatch.from_pydict({"ene_01": [1.0, 1.0]}), UCBT)
    months.add(pa.RecordBatch.from_pydict({"cod_id": ["A", "A"]}), PONNOT)
    assert (months.codes, months.overlapping()) == ([], 0)
