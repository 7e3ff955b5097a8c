"""GET aicss/eventos: readings are told as they land, to who may hear of them, and no longer.

Not here: landing them (test_api_aicss.py), what a state holds (status.sql's tests there).
"""

import io
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Queue

import httpx2 as httpx
import psycopg
import pytest

from api.aicss import events
from loaders.aicss import landing
from tests.integration import warehouse as a
from tests.integration.api_client import DEVICE, PASSWORD, Api
from tests.integration.api_server import served

EVENTS, READINGS = "/api/v1/aicss/eventos", "/api/v1/aicss/dados"
WITHIN_S = 2
"""From a reading's landing to its being told."""


@pytest.fixture(scope="module")
def port(api: Api, warehouse: a.Warehouse) -> Iterator[int]:
    """A server of its own: its streams never end by themselves."""
    with served(api, warehouse) as port:
        yield port


@contextmanager
def heard(port: int, headers: dict[str, str]) -> Iterator["Queue[list[dict] | None]"]:
    """The states that a stream tells, as they come; None: it has ended."""
    told: Queue[list[dict] | None] = Queue()
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
        client.stream("GET", EVENTS, headers=headers) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")

        def read() -> None:
            with suppress(httpx.HTTPError):
                for line in answer.iter_lines():
                    if found := re.match(r"data: (.*)", line):
                        told.put(json.loads(found[1]))
            told.put(None)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        yield told


def post(port: int, api: Api, device: str, light: int, second: int) -> None:
    """One reading, by an administrator."""
    body = [{"device_id": device, "timestamp": f"2026-05-01T10:00:{second:02}Z"}]
    body[0]["light_level"] = light
    url = f"http://127.0.0.1:{port}{READINGS}"
    assert httpx.post(url, json=body, headers=api.bearer("admin")).status_code == 202


def test_a_reading_is_told_within_two_seconds(api: Api, port: int) -> None:
    with heard(port, api.bearer("leitor")) as told:
        assert isinstance(told.get(timeout=10), list), "all devices, at first"
        began = time.monotonic()
        post(port, api, "aicss-viva", 1234, 1)
        (state,) = told.get(timeout=10)
        assert time.monotonic() - began < WITHIN_S
        assert (state["dispositivo_id"], state["ultima_luz"]) == ("aicss-viva", 1234)


def test_what_another_program_lands_is_told_at_its_commit(
    api: Api, port: int, warehouse: a.Warehouse
) -> None:
    """As the commands for files, serial lines and MQTT land: not before the transaction ends."""
    record = (
        b'{"device_id": "aicss-arquivo", "timestamp": "2026-05-01T11:00:00Z", "light_level": 9}'
    )
    with warehouse.connect() as conn, heard(port, api.bearer("comercial")) as told:
        told.get(timeout=10)
        with conn.transaction():
            assert landing.land(conn, io.BytesIO(record), name="um.json").leituras == 1
            with warehouse.connect() as another:
                another.execute("select pg_notify('aicss_leitura', '[\"aicss-viva\"]')")
            assert {s["dispositivo_id"] for s in told.get(timeout=10)} == {"aicss-viva"}
        assert {s["dispositivo_id"] for s in told.get(timeout=10)} == {"aicss-arquivo"}


def test_a_device_hears_of_itself_alone(api: Api, port: int) -> None:
    with heard(port, api.bearer("dispositivo")) as told:
        assert {s["dispositivo_id"] for s in told.get(timeout=10)} <= {DEVICE}
        post(port, api, "aicss-viva", 1, 3)
        post(port, api, DEVICE, 2, 4)
        assert {s["dispositivo_id"] for s in told.get(timeout=10)} == {DEVICE}


def test_who_logs_out_hears_no_more(api: Api, port: int) -> None:
    api.reset_limits()
    token = api.log_in("leitor", PASSWORD).json()["token_acesso"]
    headers = {"Authorization": f"Bearer {token}"}
    with heard(port, headers) as told:
        told.get(timeout=10)
        assert api.http.delete("/api/v1/sessoes/atual", headers=headers).status_code == 204
        post(port, api, "aicss-viva", 3, 5)
        assert told.get(timeout=events.HEARTBEAT_S) is None


def test_nobody_else_hears(api: Api, port: int) -> None:
    url = f"http://127.0.0.1:{port}{EVENTS}"
    assert httpx.get(url).status_code == 401
    assert httpx.get(url, headers=api.bearer("parceiro")).status_code == 403


def test_readings_that_were_there_are_not_told(conn: psycopg.Connection) -> None:
    """Only what is new: the same file again tells nobody anything."""
    record = b'{"device_id": "aicss-eco", "timestamp": "2026-05-01T12:00:00Z", "light_level": 9}\n'
    with psycopg.connect("", dbname=conn.info.dbname, autocommit=True) as listening:
        listening.execute("listen aicss_leitura")
        for name in ("eco.json", "outra.json"):
            landing.land(conn, io.BytesIO(record), name=name)
        told = [json.loads(n.payload) for n in listening.notifies(timeout=2)]
    assert told == [["aicss-eco"]]
