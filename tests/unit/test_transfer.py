"""Batches become COPY's CSV without losing a value or a row. Not here: the database."""

import json
import threading
from collections.abc import Iterator

import pyarrow as pa
import pytest

from loaders.bdgd import transfer
from loaders.bdgd.layers import PONNOT, UCBT
from loaders.bdgd.transfer import Batch, ColumnSum, number_rows, pack_batch, read_ahead
from loaders.safra import Safra

SAFRA = Safra.from_key("401-2024")


def test_null_and_empty_text_stay_different() -> None:
    data = pa.RecordBatch.from_pydict({"cod_id": ["A", "B"], "pac": ["", None]})
    packet = pack_batch(Batch(SAFRA, data, number_rows(1, 2)), UCBT)
    assert bytes(packet.csv).decode() == '1,"A",""\n2,"B",\n'


def test_quotes_separators_and_line_breaks_are_quoted() -> None:
    data = pa.RecordBatch.from_pydict({"cod_id": ['a"b,c\nd']})
    assert bytes(pack_batch(Batch(SAFRA, data, number_rows(7, 1)), UCBT).csv) == b'7,"a""b,c\nd"\n'


def test_a_rejected_row_keeps_its_number_and_leaves_the_others() -> None:
    data = pa.RecordBatch.from_pydict({"cod_id": ["A", " ", "C"], "ene_01": [1.0, 2.0, 4.0]})
    packet = pack_batch(Batch(SAFRA, data, number_rows(10, 3)), UCBT)
    assert bytes(packet.csv) == b'10,"A",1\n12,"C",4\n'
    assert [(r.row, r.reason, r.record["ene_01"]) for r in packet.rejects] == [
        (11, "cod_id em branco", 2.0)
    ]
    assert (packet.rows_read, packet.kwh) == (3, 5.0)


def test_a_row_whose_energy_is_no_finite_number_is_rejected() -> None:
    """NaN is the layer's whole sum; +inf with -inf ends the sum itself."""
    data = pa.RecordBatch.from_pydict(
        {
            "cod_id": ["A", "B", "C", "D", "E"],
            "ene_01": [1.0, float("nan"), float("inf"), None, 2.0],
            "ene_12": [1.0, 1.0, 1.0, 1.0, float("-inf")],
        }
    )
    packet = pack_batch(Batch(SAFRA, data, number_rows(1, 5)), UCBT)
    assert bytes(packet.csv) == b'1,"A",1,1\n4,"D",,1\n'
    assert packet.monthly_columns == {
        "ene_01": ColumnSum(1, 1.0, 1.0),  # a null is no value of the month
        "ene_12": ColumnSum(2, 2.0, 1.0),
    }
    assert {(r.row, r.reason) for r in packet.rejects} == {
        (n, "energia que não é um número finito") for n in (2, 3, 5)
    }
    assert packet.kwh == 3.0


def test_a_row_with_two_faults_is_rejected_once() -> None:
    data = pa.RecordBatch.from_pydict({"cod_id": [" "], "point_x": pa.array([None], pa.float64())})
    assert len(pack_batch(Batch(SAFRA, data, number_rows(1, 1)), PONNOT).rejects) == 1


def test_rejected_rows_are_json_that_postgresql_takes() -> None:
    text = transfer._jsonb({"a": float("nan"), "b": "x\0y", "c": "\\u0000"})
    assert json.loads(text) == {"a": None, "b": "x\ufffdy", "c": "\\u0000"}


def test_items_read_ahead_come_in_order() -> None:
    assert list(read_ahead(range(1000))) == list(range(1000))
    assert list(read_ahead([])) == []


def test_a_failure_ahead_reaches_the_consumer_after_the_good_items() -> None:
    def itens() -> Iterator[int]:
        yield 1
        raise ValueError("lido pela metade")

    records_read = read_ahead(itens())
    assert next(records_read) == 1
    with pytest.raises(ValueError, match="pela metade"):
        next(records_read)


def test_a_consumer_that_stops_stops_the_reader() -> None:
    before = threading.active_count()
    records_read = read_ahead(iter(int, 1))
    next(records_read)
    records_read.close()
    assert threading.active_count() == before
