"""A layer's COPY beside what the file said. Not here: dbt's side (integration)."""

import logging
from collections import Counter

import pytest

from loaders.bdgd.conservation import check_layer
from loaders.bdgd.layers import UCMT
from loaders.bdgd.transfer import ColumnSum, Totals
from loaders.errors import InvalidInput
from loaders.safra import Safra

ONE, OTHER = Safra.from_key("401-2024"), Safra.from_key("86-2024")


def total(landed: int, **reasons: int) -> Totals:
    return Totals(landed=landed, reasons=Counter(reasons))


def test_what_landed_and_was_rejected_is_what_the_file_had() -> None:
    sums = {ONE: total(8, torta=1, cortada=1), OTHER: total(3)}
    check_layer(UCMT, sums, {ONE: 10, OTHER: 3}, file="x.csv")
    check_layer(UCMT, {ONE: total(0)}, {}, file="x.csv")
    for wrong in ({ONE: 9, OTHER: 3}, {ONE: 11, OTHER: 3}, {ONE: 10}):
        with pytest.raises(InvalidInput, match="linhas, mas [83] entraram e [20] foram"):
            check_layer(UCMT, sums, wrong, file="x.csv")


def test_a_layer_of_which_nothing_landed_is_refused_and_a_safra_of_it_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    nothing = {ONE: total(0, torta=2, cortada=1), OTHER: total(0, torta=1)}
    with pytest.raises(InvalidInput, match=r"todas as 4 linhas.*\(torta: 3; cortada: 1\)"):
        check_layer(UCMT, nothing, {ONE: 3, OTHER: 1}, file="x.csv")
    with caplog.at_level(logging.WARNING):
        sums = {ONE: total(5, torta=1), OTHER: total(0, torta=2)}
        check_layer(UCMT, sums, {ONE: 6, OTHER: 2}, file="x.csv")
    assert [r.getMessage() for r in caplog.records] == [
        "x.csv: UCMT: todas as linhas da safra 86-2024 rejeitadas (torta: 2)"
    ]


def test_the_months_of_all_batches_are_added_up() -> None:
    parts = [ColumnSum(3, 0.1, 5.0), ColumnSum(2, 0.2, None), ColumnSum(4, 0.3, 7.0)]
    assert Totals(parts={"ene_01": parts}).monthly() == {"ene_01": ColumnSum(9, 0.6, 7.0)}
