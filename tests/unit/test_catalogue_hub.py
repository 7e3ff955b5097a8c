"""ANEEL's catalogue read from a Hub that misbehaves: everything once, or a clear line.

Belongs here: hub.py and ckan.py against fake_hub.py. Not here: what is kept of it
(integration/test_catalogue_vintages.py), files (test_catalogue_archive.py).
"""

import json
from collections.abc import Iterator

import pytest

from loaders.catalogue import ckan, hub
from loaders.catalogue.item import Item
from loaders.errors import SourceFailure
from loaders.open_data.client import Client, Patience
from tests.fake_hub import MISSING, Hub, served

PATIENT = Patience(attempts=3, first_s=0, longest_s=0, stall_s=60)
HASTY = Patience(attempts=2, first_s=0, longest_s=0, stall_s=0.1)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Seven vintages, three a page."""
    with served() as one:
        for year in range(2018, 2025):
            one.put(f"item{year}", f"Mux_Energia_401_{year}-12-31_V11_{year + 1}0806-1857")
        one.page = 3
        monkeypatch.setenv("INTEL_CATALOGO_ENDERECO", one.url)
        monkeypatch.setenv("INTEL_CATALOGO_CKAN_ENDERECO", one.url)
        yield one


def read(patience: Patience = PATIENT) -> hub.Reading:
    return hub.read(Client(patience))


def ids(reading: hub.Reading) -> list[str]:
    return [item.item_id for item in reading.items]


EVERYTHING = [f"item{year}" for year in range(2018, 2025)]


@pytest.mark.parametrize("matched", [-1, None])
@pytest.mark.parametrize("overlap", [0, 1, 3])
def test_every_item_comes_once_however_the_pages_overlap(
    fake: Hub, matched: int | None, overlap: int
) -> None:
    fake.matched, fake.overlap = matched, overlap
    if matched is None:
        fake.page = 100
    found = read()
    assert ids(found) == EVERYTHING
    assert found.complete
    assert all(agent.startswith("Mozilla/5.0") for agent in fake.agents)


@pytest.mark.parametrize("trouble", ["429", "503", "error", "html", "cut"])
def test_what_passes_on_any_page_is_waited_for(fake: Hub, trouble: str) -> None:
    for page in range(3):
        fake.search_troubles = ["fine"] * page + [trouble]
        assert ids(read()) == EVERYTHING


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("429", "respondeu 429"),
        ("503", "respondeu 503"),
        ("error", r"respondeu com um erro \(500 Unable to perform operation"),
        ("html", "uma página HTML"),
        ("cut", "resposta cortada|conexão falhou"),
        ("stall", "parou de responder|conexão falhou"),
    ],
)
def test_what_does_not_pass_is_one_clear_line(fake: Hub, trouble: str, said: str) -> None:
    fake.search_troubles = [trouble] * 3
    with pytest.raises(SourceFailure, match=said) as caught:
        read(HASTY if trouble == "stall" else PATIENT)
    assert "tentativas" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_bad_item_keeps_no_other_from_being_read(fake: Hub) -> None:
    """What PostgreSQL cannot hold, a terminal obeys or nobody can mean is left out of it."""
    odd = {
        "title": "Mux\x00_\x1b[31m\ud800Energia",
        "name": ["x"],
        "size": 10**19,
        "modified": "9999-12-31T23:59:59-14:00",
        "tags": ["BDGD", "\ud800"],
    }
    page = {"features": [{"id": ["x"], "properties": odd}, {"id": "b", "properties": {}}]}
    fake.items.clear()
    fake.search_troubles = [lambda _: json.dumps(page).encode()]
    one, other = read().items
    assert (one.title, one.size, one.modified_at) == ("Mux_[31mEnergia", None, None)
    assert (one.item_id, one.tags) == ("['x']", ("BDGD", ""))
    assert other.item_id == "b"


@pytest.mark.parametrize("body", [b"[" * 200_000, b"\xff\xfe\x00", b'{"features": [NaN'])
def test_what_is_no_json_is_said(fake: Hub, body: bytes) -> None:
    fake.search_troubles = [lambda _: body] * 3
    with pytest.raises(SourceFailure, match="resposta cortada ou sem JSON"):
        read()


def test_an_error_that_stays_is_not_asked_again(fake: Hub) -> None:
    fake.search_troubles = [lambda _: json.dumps(MISSING).encode()]
    with pytest.raises(SourceFailure, match="400 Item does not exist"):
        read()
    assert len(fake.asked) == 1


@pytest.mark.parametrize("body", [b"[]", b'{"features": null}', b'{"features": {}}', b'"x"'])
def test_an_answer_of_another_form_is_said(fake: Hub, body: bytes) -> None:
    fake.search_troubles = [lambda _: body]
    with pytest.raises(SourceFailure, match="resposta de outra forma"):
        read()


def test_a_hub_that_shows_less_than_it_says_it_has_is_not_whole(fake: Hub) -> None:
    fake.matched = 9
    found = read()
    assert ids(found) == EVERYTHING
    assert not found.complete
    assert found.remark == "o Hub diz ter 9 itens e mostrou 7"


@pytest.mark.parametrize("says", [1, 3, 6])
def test_a_hub_that_shows_more_than_it_says_it_has_is_read_on_and_not_believed(
    fake: Hub, says: int
) -> None:
    fake.matched = says
    found = read()
    assert ids(found) == EVERYTHING
    assert not found.complete
    assert found.remark == f"o Hub diz ter {says} itens e mostrou 7"


def test_an_empty_hub_is_a_failure_and_no_catalogue(fake: Hub) -> None:
    fake.items.clear()
    with pytest.raises(SourceFailure, match="veio vazio"):
        read()


def test_a_hub_that_knows_no_pages_ends(fake: Hub) -> None:
    """The same page again and again: what it says it has is the end of asking."""
    first = json.dumps(
        {"features": [{"id": "item2018", "properties": {"title": "x"}}], "numberMatched": 7}
    ).encode()
    fake.search_troubles = [lambda _: first] * 10
    assert ids(read()) == ["item2018"]
    assert len(fake.asked) == 7


def test_of_an_item_that_is_there_twice_the_newer_word_counts(fake: Hub) -> None:
    page = {
        "features": [
            {"id": "a", "properties": {"title": "nova", "modified": 2_000_000_000_000}},
            {"id": "a", "properties": {"title": "velha", "modified": 1_000_000_000_000}},
            {"id": "b", "properties": None},
            {"id": None, "properties": {}},
            "x",
        ]
    }
    fake.items.clear()
    fake.search_troubles = [lambda _: json.dumps(page).encode()]
    found = read().items
    assert [(i.item_id, i.title) for i in found] == [("a", "nova"), ("b", "b")]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (1_754_517_420_000, "2025-08-06T21:57:00+00:00"),
        (1_754_517_420, "2025-08-06T21:57:00+00:00"),
        ("2025-08-06T21:57:00Z", "2025-08-06T21:57:00+00:00"),
        ("2025-08-06T21:57:00.5", "2025-08-06T21:57:00.500000+00:00"),
        ("ontem", None),
        (None, None),
        (True, None),
        (10**30, None),
    ],
)
def test_a_moment_is_read_in_every_spelling(said: object, expected: str | None) -> None:
    found = hub.moment(said)
    assert (found and found.isoformat()) == expected


def test_the_name_says_what_the_title_does_not(fake: Hub) -> None:
    fake.put("z", "BDGD da Mux", name="Mux_Energia_401_2024-12-31_V11_20250806-1857.gdb.zip")
    (item,) = (i for i in read().items if i.item_id == "z")
    assert item.read().distribuidora_id == 401


def test_the_three_csvs_are_found_whatever_else_the_package_has(fake: Hub) -> None:
    fake.put_csvs(ucat_pj=b"", ucmt_pj=b"", ucbt_pj=b"")
    fake.resources.append({"id": "d", "name": "Dicionário de dados", "url": "http://x/dic.pdf"})
    found = ckan.read(Client(PATIENT))
    assert [item.title for item in found.items] == ["ucat_pj", "ucmt_pj", "ucbt_pj"]
    assert found.complete
    assert isinstance(found.items[0], Item)
    assert found.items[0].modified_at is not None


def test_a_csv_that_the_package_lost_is_said(fake: Hub) -> None:
    fake.put_csvs(ucat_pj=b"", ucbt_pj=b"")
    found = ckan.read(Client(PATIENT))
    assert (found.complete, found.remark) == (False, "o portal não mostrou ucmt_pj")
    fake.resources.clear()
    with pytest.raises(SourceFailure, match="já não tem os CSV _pj"):
        ckan.read(Client(PATIENT))
