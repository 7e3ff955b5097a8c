"""Reports' days, parts, and words for codes that marts do not name. Not here: pages."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from loaders import figures
from loaders.errors import InvalidInput
from reports import words
from reports.choice import OF_KIND, Choice
from reports.period import Kind, before

SEEDS = Path(__file__).resolve().parents[2] / "seeds"


@pytest.mark.parametrize(
    ("kind", "moment", "first", "last"),
    [
        # 02:00 in Greenwich is still the evening before in Brasília.
        (Kind.DAILY, datetime(2026, 3, 1, 2, tzinfo=UTC), date(2026, 2, 27), date(2026, 2, 27)),
        (Kind.DAILY, datetime(2026, 3, 1, 12, tzinfo=UTC), date(2026, 2, 28), date(2026, 2, 28)),
        (Kind.WEEKLY, datetime(2026, 3, 2, 12, tzinfo=UTC), date(2026, 2, 23), date(2026, 3, 1)),
        (Kind.MONTHLY, datetime(2026, 1, 1, 12, tzinfo=UTC), date(2025, 12, 1), date(2025, 12, 31)),
        (Kind.MONTHLY, datetime(2026, 3, 31, 12, tzinfo=UTC), date(2026, 2, 1), date(2026, 2, 28)),
    ],
)
def test_a_period_is_the_whole_days_that_ended_last(
    kind: Kind, moment: datetime, first: date, last: date
) -> None:
    period = before(kind, moment)
    assert (period.start.date(), period.last_day) == (first, last)
    assert {period.start.hour, period.end.hour} == {0}


@pytest.mark.parametrize(
    ("told", "seed", "code"),
    [(words.OFFERS, "oferta", "id"), (words.ANOMALIES, "anomalia_tipo", "tipo")],
)
def test_codes_have_the_names_that_the_seed_gives_them(
    told: dict[str, str], seed: str, code: str
) -> None:
    with (SEEDS / f"{seed}.csv").open(encoding="utf-8") as file:
        assert told == {row[code]: row["nome"] for row in csv.DictReader(file)}


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (83273095.2, 0, "83.273.095"),
        (-0.00036, 2, "0,00"),
        (1.26, 1, "1,3"),
        (None, 0, "sem dados"),
    ],
)
def test_a_number_is_written_as_in_brazil(value: float | None, decimals: int, text: str) -> None:
    assert figures.number(value, decimals) == text


def test_a_reason_stands_without_the_list_of_what_lacks_data() -> None:
    text = "Consome 8 % na ponta. Próxima onda. Sem dado, contam 0: economia, área"
    assert words.reason(text) == "Consome 8\u00a0% na ponta. Próxima onda"
    assert words.lacking(text) == "economia, área"
    assert (words.reason(None), words.lacking("Consome 8 % na ponta")) == ("", "")


def test_a_choice_is_the_same_in_any_order_and_its_file_says_which() -> None:
    one = Choice.of([20, 10, 20], ["backup", "migracao"], ["leads", "ligar"])
    assert one == Choice.of([10, 20], ["migracao", "backup"], ["ligar", "leads", "leads"])
    assert one.suffix == "-10-20-migracao-backup-ligar-leads"
    assert Choice.of().suffix == ""
    titled = {Choice.of(title=title).suffix for title in ("", "Um", "um", "Um  dois", " Um dois ")}
    assert len(titled) == 4


def test_a_choice_of_fifty_places_has_a_short_name_of_its_own() -> None:
    many = range(4300000, 4300050)
    names = {Choice.of(many).suffix, Choice.of([*many, 1]).suffix, Choice.of(many, ["gtd"]).suffix}
    assert len(names) == 3
    assert {len(name) < 60 for name in names} == {True}


@pytest.mark.parametrize(
    ("choice", "kind", "said"),
    [
        ({"offers": ["venda"]}, Kind.SAFRA, "não há a oferta venda; há: migracao"),
        ({"sections": ["lista"]}, Kind.SAFRA, "não há a seção lista; há: mudou"),
        ({"title": "x" * 101}, Kind.SAFRA, "passa de 100"),
        ({"sections": ["leads"]}, Kind.DAILY, "no relatório diario não há a seção leads"),
        ({"sections": ["perdas"], "places": [1]}, Kind.SAFRA, "não se faz por município"),
    ],
)
def test_a_choice_that_is_none_says_what_there_is(
    choice: dict[str, list], kind: Kind, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        Choice.of(**choice).sections_of(kind)


def test_of_a_place_there_are_the_sections_that_marts_have_of_one() -> None:
    whole = OF_KIND[Kind.MONTHLY]
    assert Choice.of().sections_of(Kind.MONTHLY) == whole
    of_place = Choice.of([1]).sections_of(Kind.MONTHLY)
    assert {*whole} - {*of_place} == {"aicss", "perfis", "perdas"}
