"""A layer's COPY beside what the file said. Not here: dbt's side (integration)."""

import logging
from collections import Counter

import pytest

from loaders.camadas import UCMT
from loaders.conservation import check_layer
from loaders.copia import Coluna, Soma
from loaders.erros import EntradaInvalida
from loaders.safra import Safra

ONE, OTHER = Safra.de_chave("401-2024"), Safra.de_chave("86-2024")


def soma(landed: int, **reasons: int) -> Soma:
    return Soma(aterrissadas=landed, motivos=Counter(reasons))


def test_what_landed_and_was_rejected_is_what_the_file_had() -> None:
    sums = {ONE: soma(8, torta=1, cortada=1), OTHER: soma(3)}
    check_layer(UCMT, sums, {ONE: 10, OTHER: 3}, file="x.csv")
    check_layer(UCMT, {ONE: soma(0)}, {}, file="x.csv")
    for wrong in ({ONE: 9, OTHER: 3}, {ONE: 11, OTHER: 3}, {ONE: 10}):
        with pytest.raises(EntradaInvalida, match="linhas, mas [83] entraram e [20] foram"):
            check_layer(UCMT, sums, wrong, file="x.csv")


def test_a_layer_of_which_nothing_landed_is_refused_and_a_safra_of_it_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    nothing = {ONE: soma(0, torta=2, cortada=1), OTHER: soma(0, torta=1)}
    with pytest.raises(EntradaInvalida, match=r"todas as 4 linhas.*\(torta: 3; cortada: 1\)"):
        check_layer(UCMT, nothing, {ONE: 3, OTHER: 1}, file="x.csv")
    with caplog.at_level(logging.WARNING):
        sums = {ONE: soma(5, torta=1), OTHER: soma(0, torta=2)}
        check_layer(UCMT, sums, {ONE: 6, OTHER: 2}, file="x.csv")
    assert [r.getMessage() for r in caplog.records] == [
        "x.csv: UCMT: todas as linhas da safra 86-2024 rejeitadas (torta: 2)"
    ]


def test_the_months_of_all_batches_are_added_up() -> None:
    parts = [Coluna(3, 0.1, 5.0), Coluna(2, 0.2, None), Coluna(4, 0.3, 7.0)]
    assert Soma(parcelas={"ene_01": parts}).mensais() == {"ene_01": Coluna(9, 0.6, 7.0)}
