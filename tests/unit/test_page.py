"""The page of `make dev`: its address is true or none; a second `make dev` says where it is."""

import fcntl
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from dagster_pipeline import dev, page
from server import postgres


class Webserver(BaseHTTPRequestHandler):
    """Answers as Dagster's does."""

    def do_GET(self) -> None:  # noqa: N802
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"dagster_version": "1"}).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Webserver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_the_address_is_one_that_answers(home: Path, port: int) -> None:
    assert page.address() == ""
    page.mark().write_text(json.dumps({"port": port}))
    assert page.address() == f"http://localhost:{port}"
    page.mark().write_text(json.dumps({"port": 1}))
    assert page.address() == ""


def test_a_port_in_use_is_not_taken(port: int) -> None:
    assert page.free_port(port) != port


def test_a_second_make_dev_says_where_the_first_is(
    home: Path, port: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def started() -> int:
        raise AssertionError("a second one")

    monkeypatch.setattr(dev, "_serve", started)
    page.mark().write_text(json.dumps({"port": port}))
    with page.mark().with_suffix(".lock").open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        dev.main()
    assert f"http://localhost:{port}" in capsys.readouterr().out


def test_db_stop_knows_of_a_make_dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "dev.lock"
    monkeypatch.setattr(postgres, "DEV_LOCK", lock)
    assert not postgres.dev_is_running()
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert postgres.dev_is_running()
    assert not postgres.dev_is_running()
