"""Asking the sources: patience with what passes, a clear line for what does not, nothing twice.

Belongs here: client and sources against a portal that misbehaves. Not here: content
(test_open_data_reading.py), landing (integration/test_open_data.py).
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from tenacity import RetryCallState, Retrying

from loaders.errors import InvalidInput, SourceFailure
from loaders.open_data import content, sources
from loaders.open_data.client import Client, Patience, _Passing, _retry_after
from loaders.open_data.landing import Delivery
from loaders.open_data.registry import DATASETS
from tests.fake_portal import Portal, portal
from tests.open_data_samples import samples

FETCHED = [d for d in DATASETS.values() if d.origin is not None]
PATIENT = Patience(attempts=3, first_s=0, longest_s=0, stall_s=60)
HASTY = replace(PATIENT, stall_s=0.1)
"""For who never answers; anybody else may take longer on a busy machine."""
SAMPLES = samples()


@pytest.fixture
def fake() -> Iterator[Portal]:
    with portal() as one:
        yield one


def fetched(
    fake: Portal,
    name: str,
    folder: Path,
    known: dict[str, str] | None = None,
    first: int = 2024,
    patience: Patience = PATIENT,
) -> list[tuple[Delivery, bytes]]:
    dataset = DATASETS[name]
    origin = replace(dataset.origin, base=fake.base(dataset))
    deliveries = sources.fetch(
        replace(dataset, origin=origin),
        Client(patience),
        folder,
        years=range(first, 2025),
        known=(known or {}).get,
    )
    return [(delivery, delivery.path.read_bytes()) for delivery in deliveries]


@pytest.mark.parametrize("dataset", [d.id for d in FETCHED])
def test_each_dataset_is_found_and_fetched_through_what_passes(
    fake: Portal, dataset: str, tmp_path: Path
) -> None:
    fake.put(DATASETS[dataset])
    fake.troubles = ["429", "503"]
    ((delivery, got),) = fetched(fake, dataset, tmp_path)
    if DATASETS[dataset].origin.way == "datastore":
        assert got.count(b"\n") == 4
    else:
        assert got == SAMPLES[dataset]
        assert delivery.url == fake.url + fake.asked[-1]
    assert all(agent.startswith("Mozilla/5.0") for agent in fake.agents)


@pytest.mark.parametrize("dataset", [d.id for d in FETCHED])
@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("429", "respondeu 429"),
        ("503", "respondeu 503"),
        ("cut", "cort|conexão"),
        ("stall", "parou de responder|conexão"),
    ],
)
def test_what_does_not_pass_is_one_clear_line_after_all_attempts(
    fake: Portal, dataset: str, trouble: str, said: str, tmp_path: Path
) -> None:
    fake.put(DATASETS[dataset])
    fake.troubles = [trouble] * 3
    with pytest.raises(SourceFailure, match=said) as caught:
        fetched(fake, dataset, tmp_path, patience=HASTY if trouble == "stall" else PATIENT)
    assert "em 3 tentativas" in str(caught.value) and "--arquivo" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dataset", [d.id for d in FETCHED])
def test_a_web_page_in_the_place_of_the_data_is_told(
    fake: Portal, dataset: str, tmp_path: Path
) -> None:
    fake.put(DATASETS[dataset])
    fake.troubles = ["html"] * 3
    with pytest.raises(InvalidInput, match="HTML"):
        for delivery, _ in fetched(fake, dataset, tmp_path):
            delivery.path.write_bytes(_)
            with content.as_csv(delivery.path, DATASETS[dataset]):
                pass


@pytest.mark.parametrize("records", [0, 1])
def test_half_a_page_of_a_datastore_is_refused(fake: Portal, records: int, tmp_path: Path) -> None:
    def half(page: bytes) -> bytes:
        answer = json.loads(page)
        del answer["result"]["records"][records:]
        return json.dumps(answer).encode()

    fake.troubles = [half]
    with pytest.raises(SourceFailure, match=f"veio com {records} linhas de 3"):
        fetched(fake, "bandeiras", tmp_path)


def test_what_has_not_changed_since_is_not_fetched_again(fake: Portal, tmp_path: Path) -> None:
    date = "Mon, 01 Jan 2024 00:00:00 GMT"
    for name in ("samp", "clima"):
        path = fake.put(DATASETS[name])
        fake.dates[path] = date
        assert len(fetched(fake, name, tmp_path)) == 1
        assert fetched(fake, name, tmp_path, {fake.url + path: date}) == []
        fake.dates[path] = "Tue, 02 Jan 2024 00:00:00 GMT"
        assert len(fetched(fake, name, tmp_path, {fake.url + path: date})) == 1
        fake.files.clear()


def test_only_the_years_asked_for_are_fetched_oldest_first(fake: Portal, tmp_path: Path) -> None:
    for year in (2012, 2024, 2018):
        fake.put(DATASETS["samp"], str(year).encode(), year)
    assert [got for _, got in fetched(fake, "samp", tmp_path, first=2020)] == [b"2018", b"2024"]


def test_the_limits_are_not_taken_for_the_indicators(fake: Portal, tmp_path: Path) -> None:
    for name in ("continuidade", "continuidade_limite"):
        fake.put(DATASETS[name])
    assert [got for _, got in fetched(fake, "continuidade", tmp_path)] == [SAMPLES["continuidade"]]
    limits = fetched(fake, "continuidade_limite", tmp_path)
    assert [got for _, got in limits] == [SAMPLES["continuidade_limite"]]


def test_a_download_without_end_stops_at_the_limit(fake: Portal, tmp_path: Path) -> None:
    path = fake.put(DATASETS["tarifas"])
    with pytest.raises(SourceFailure, match="passa do limite"):
        Client(PATIENT).download(fake.url + path, tmp_path / "x", most_bytes=10)


def test_a_portal_that_lost_the_file_says_where_to_look(fake: Portal, tmp_path: Path) -> None:
    fake.put(DATASETS["continuidade"])
    with pytest.raises(SourceFailure, match="já não tem os arquivos de siga"):
        fetched(fake, "siga", tmp_path)


def test_what_comes_by_file_alone_says_where_to_find_it(fake: Portal, tmp_path: Path) -> None:
    with pytest.raises(SourceFailure, match=r"idhm só vem por arquivo: .*atlasbrasil"):
        list(
            sources.fetch(
                DATASETS["idhm"],
                Client(PATIENT),
                tmp_path,
                years=range(2024, 2025),
                known=dict().get,
            )
        )


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ("7", 7, 7),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 20, 20),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1.5, 2.5),
        ("amanhã", 1.5, 2.5),
        ("", 1.5, 2.5),
    ],
)
def test_a_pause_is_as_long_as_the_server_asks_and_never_twice_the_same(
    said: str, least: float, most: float
) -> None:
    """Doubled, a quarter more or less; no longer than the client's own patience."""
    client = Client(Patience(first_s=2, longest_s=20))
    answer = requests.Response()
    answer.headers["Retry-After"] = said

    def pause() -> float:
        state = RetryCallState(Retrying(), None, (), {})
        state.set_exception((_Passing, _Passing("", _retry_after(answer)), None))
        return client._pause(state)

    pauses = [pause() for _ in range(20)]
    assert all(least <= one <= most for one in pauses)
    assert (len(set(pauses)) > 1) == (least != most)
