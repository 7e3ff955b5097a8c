"""The key of a safra and the dates that ANEEL writes."""

from datetime import date

import pytest

from loaders.errors import InvalidInput
from loaders.safra import Safra, listed, read_date


@pytest.mark.parametrize(
    "text",
    ["31/12/2024", "2024-12-31", "31DEC2024", "31dec2024:00:00:00.0000000", date(2024, 12, 31)],
)
def test_every_way_of_writing_a_base_date_is_read(text: object) -> None:
    assert read_date(text) == date(2024, 12, 31)


@pytest.mark.parametrize("text", ["", None, "31/13/2024", "30/02/2024", "31DEZEMBRO", "2024"])
def test_what_is_not_a_date_is_none(text: object) -> None:
    assert read_date(text) is None


def test_key_goes_both_ways_and_the_base_date_is_no_part_of_it() -> None:
    safra = Safra.from_key("401-2024")
    assert safra.key == "401-2024"
    assert safra == Safra.from_date(401, date(2024, 1, 31))


@pytest.mark.parametrize("key", ["2024-401", "401/2024", "401", ""])
def test_a_key_the_wrong_way_round_is_refused(key: str) -> None:
    with pytest.raises((ValueError, InvalidInput)):
        Safra.from_key(key)


@pytest.mark.parametrize(("dist", "ano"), [(0, 2024), (10**9, 2024), (401, 1999), (401, 2202)])
def test_impossible_numbers_are_refused(dist: int, ano: int) -> None:
    with pytest.raises(InvalidInput):
        Safra.from_date(dist, date(ano, 12, 31))


def test_each_safra_has_a_lock_of_its_own() -> None:
    assert Safra.from_key("401-2024").lock_key == 4_012_024
    assert Safra.from_key("65535-2024").lock_key < 2**31, "PostgreSQL's second key is an integer"


@pytest.mark.parametrize(
    ("many", "said"),
    [(0, ""), (1, "a"), (5, "a, b, c, d, e"), (6, "a, b, c, d, e e mais 1"), (7, "e e mais 2")],
)
def test_a_message_names_five_keys_and_counts_the_others(many: int, said: str) -> None:
    assert listed(list("abcdefg")[:many]).endswith(said)
    assert listed(list("abcdefg")[:many]).count(",") == max(min(many, 5) - 1, 0)
