"""The sign of life: given while the warehouse answers, withheld while it does not."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from server import heartbeat


@dataclass
class Outside:
    """The outside address: what it was asked for, and what it answers."""

    status: int = 200
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Outside]:
    state = Outside()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            state.asked.append(self.path)
            self.send_response(state.status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(heartbeat.environment, "USER_FILE", str(tmp_path / "none"))
        monkeypatch.setenv(heartbeat.VARIABLE, f"http://127.0.0.1:{server.server_port}/segredo")
        yield state
        server.shutdown()


@pytest.fixture
def published(empty_database_env: dict[str, str]) -> None:
    """As much of a warehouse as is asked."""
    with psycopg.connect("") as conn:
        conn.execute("create schema marts")
        conn.execute("create view marts.safra_publicada as select now() as publicada_em")


def pulse() -> Result:
    done = CliRunner().invoke(heartbeat.app, [])
    assert "segredo" not in done.output
    return done


def test_while_the_warehouse_answers_the_address_is_called_once(
    outside: Outside, published: None
) -> None:
    assert pulse().exit_code == 0
    assert outside.asked == ["/segredo"]


def test_a_database_without_a_warehouse_gives_no_pulse(
    outside: Outside, empty_database_env: dict[str, str]
) -> None:
    done = pulse()
    assert (done.exit_code, outside.asked) == (4, [])
    assert "o armazém não responde" in done.output


def test_no_server_gives_no_pulse(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", "1")
    assert (pulse().exit_code, outside.asked) == (4, [])


def test_an_address_that_does_not_take_it_is_told(
    outside: Outside, published: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside.status = 503
    done = pulse()
    assert (done.exit_code, "respondeu 503" in done.output) == (3, True)
    monkeypatch.setenv(heartbeat.VARIABLE, "http://127.0.0.1:1/segredo")
    assert pulse().exit_code == 3
    monkeypatch.setenv(heartbeat.VARIABLE, "ftp://example.org/segredo")
    assert pulse().exit_code == 3
    monkeypatch.delenv(heartbeat.VARIABLE)
    assert pulse().exit_code == 2
