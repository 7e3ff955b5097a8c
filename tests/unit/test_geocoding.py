"""A geocoding service that misbehaves: what is asked, what a bad answer ends in.

Not here: whose addresses are asked, what is kept (tests/integration/test_landing_companies.py).
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from loaders.companies import geocoding
from loaders.companies.geocoding import Service
from loaders.errors import InvalidInput, SourceFailure
from loaders.open_data.client import Patience

FOUND = json.dumps([{"lat": "-28.07", "lon": "-52.01"}])


class Fake(ThreadingHTTPServer):
    """Answers what it was told to, in that order; the last one for ever."""

    answers: list[tuple[int, str, dict[str, str]]]
    asked: list[str]
    released: threading.Event


class _Handler(BaseHTTPRequestHandler):
    server: Fake

    def do_GET(self) -> None:  # noqa: N802 - the library's name
        self.server.asked.append(parse_qs(urlsplit(self.path).query)["q"][0])
        answers = self.server.answers
        status, text, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        if text == "stall":
            self.server.released.wait(30)
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def fake() -> Iterator[Fake]:
    server = Fake(("127.0.0.1", 0), _Handler)
    server.asked, server.answers, server.released = [], [(200, FOUND, {})], threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()


def ask(fake: Fake, *answers: tuple[int, str, dict[str, str]]) -> tuple[object, list[float]]:
    """What one question ends in, and how long it would have slept."""
    fake.answers = list(answers) or fake.answers
    waited: list[float] = []
    hasty = Patience(attempts=3, first_s=0, longest_s=0, stall_s=0.3)
    service = Service(f"http://127.0.0.1:{fake.server_port}/search", patience=hasty)
    return service.find(service.client(), "RUA A, 1", sleep=waited.append), waited


def test_an_address_has_a_place_or_none(fake: Fake) -> None:
    assert ask(fake)[0] == (-28.07, -52.01)
    assert fake.asked == ["RUA A, 1"]
    assert ask(fake, (200, "[]", {}))[0] is None


def test_every_question_waits_its_turn_and_is_asked_again_where_it_is_put_off(fake: Fake) -> None:
    place, waited = ask(fake, (429, "", {"Retry-After": "7"}), (503, "", {}), (200, FOUND, {}))
    assert place == (-28.07, -52.01)
    assert waited == [1.1]
    assert len(fake.asked) == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((429, "", {}), "respondeu 429, em 3 tentativas.*INTEL_GEOCODIFICADOR"),
        ((403, "no", {}), "respondeu 403"),
        ((200, "<html>", {}), "uma página HTML"),
        ((200, '{"error": "x"}', {}), "não é uma lista"),
        ((200, '[{"lat": null, "lon": "1"}]', {}), "não é um serviço compatível"),
        ((200, "stall", {}), "parou de responder"),
    ],
    ids=["429 for ever", "403", "a page", "an object", "no number", "stall"],
)
def test_a_bad_answer_is_one_clear_line(
    fake: Fake, answer: tuple[int, str, dict[str, str]], said: str
) -> None:
    with pytest.raises(SourceFailure, match=said):
        ask(fake, answer)


def test_it_is_off_until_somebody_names_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTEL_GEOCODIFICADOR", raising=False)
    with pytest.raises(InvalidInput, match="está desligada"):
        geocoding.service()


def test_a_place_far_from_its_municipio_is_none_of_it() -> None:
    """São Paulo and Rio de Janeiro stand some 360 km apart."""
    distance = geocoding._distance_km((-23.55, -46.63), (-22.91, -43.17))
    assert 350 < distance < 370
