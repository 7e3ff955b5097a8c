"""AICSS by the API: readings land as a file's would, a device speaks for itself alone.

Not here: what a reading looks like (test_landing_aicss.py).
"""

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from httpx2 import Response

from tests.integration import warehouse as a
from tests.integration.api_client import DEVICE, Api

DATA, STATUS, CONFIG = "/api/v1/aicss/dados", "/api/v1/aicss/status", "/api/v1/aicss/config"
COUNT = (
    "select count(*) from raw.aicss_leitura where dispositivo_id = %s and medido_em >= '2026-01-01'"
)


def record(minute: int, device: str | None = DEVICE, **more: object) -> dict[str, object]:
    """A reading of a minute of a day of its own."""
    moment = f"2026-11-29T10:{minute:02d}:00-03:00"
    named = {} if device is None else {"device_id": device}
    return {**named, "timestamp": moment, "light_level": 1200, **more}


def send(
    api: Api, body: object, role: str = "dispositivo", kind: str = "application/json"
) -> Response:
    """The answer to readings."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {**api.bearer(role), "content-type": kind}
    return api.http.post(DATA, content=content, headers=headers)


def test_one_many_and_csv_land_and_say_what_became_of_them(
    api: Api, conn: psycopg.Connection
) -> None:
    one = send(api, record(0))
    assert (one.status_code, one.json()["leituras"]) == (202, 1)
    many = send(api, [record(0), record(1), record(2, None), {"x": 1}])
    counts = many.json()
    assert (many.status_code, counts["registros"], counts["leituras"]) == (202, 4, 2)
    assert (counts["repetidas"], counts["ilegiveis"]) == (1, 1)
    assert [r["motivo"] for r in counts["recusados"]][-1] == "nenhuma medida"
    lines = f"device_id,timestamp,light_level\n{DEVICE},2026-11-29T10:30:00-03:00,9\n"
    table = send(api, lines.encode(), kind="text/csv")
    assert (table.status_code, table.json()["leituras"]) == (202, 1)
    assert a.value(conn, COUNT, [DEVICE]) == 4
    other = send(api, record(0, light_level=7)).json()
    assert (other["leituras"], other["conflitos"]) == (0, 1)
    again = send(api, [record(0), record(1)])
    assert (again.json()["leituras"], again.json()["repetidas"]) == (0, 2)


def test_a_device_sends_its_own_readings_alone(api: Api, conn: psycopg.Connection) -> None:
    """Not even as one of many: nothing of such a request lands."""
    before = a.value(conn, COUNT, [DEVICE])
    refused = send(api, [record(40), record(41, "outro")])
    assert (refused.status_code, DEVICE in refused.json()["detail"]) == (403, True)
    assert a.value(conn, COUNT, [DEVICE]) == before
    assert a.value(conn, COUNT, ["outro"]) == 0
    assert send(api, [record(41, "outro")], "admin").status_code == 202
    assert a.value(conn, COUNT, ["outro"]) == 1
    seen = api.get(f"{STATUS}?dispositivo_id=outro", "dispositivo").json()
    assert {one["dispositivo_id"] for one in seen} == {DEVICE}


@pytest.mark.parametrize("role", ["leitor", "comercial", "parceiro"])
def test_nobody_else_sends(api: Api, role: str) -> None:
    assert send(api, record(50), role).status_code == 403


@pytest.mark.parametrize(
    "body", [b"", b"oi", b"\xff\xff", b"[" * 100_000, b'{"a":' * 50_000, b"[]", b"{}", b"\0\0"]
)
def test_what_holds_no_reading_is_refused(api: Api, body: bytes) -> None:
    answer = send(api, body)
    assert (answer.status_code, answer.json()["type"][-14:]) == (400, "corpo-ilegivel")


def test_status_says_the_last_reading_and_what_is_wrong(api: Api, conn: psycopg.Connection) -> None:
    found = {one["dispositivo_id"]: one for one in api.get(STATUS).json()}
    newest = dict(
        conn.execute("select dispositivo_id, max(medido_em) from raw.aicss_leitura group by 1")
    )
    assert newest.keys() <= found.keys()
    for device, moment in newest.items():
        assert datetime.fromisoformat(found[device]["ultima_leitura_em"]) == moment
    assert api.get(STATUS, "parceiro").status_code == 403


def test_a_configuration_is_added_and_those_before_stay(api: Api, conn: psycopg.Connection) -> None:
    kept = "select count(*) from app.dispositivo_config where dispositivo_id = %s"
    before = a.value(conn, kept, [DEVICE])

    def put(role: str = "admin", **said: object) -> tuple[int, dict]:
        body = {"dispositivo_id": DEVICE, **said}
        answer = api.http.put(CONFIG, json=body, headers=api.bearer(role))
        return answer.status_code, answer.json()

    status, changed = put(potencia_interna_w=61.5)
    assert (status, changed["depois"]["potencia_interna_w"]) == (200, 61.5)
    assert changed["antes"]["potencia_interna_w"] != 61.5
    assert a.value(conn, kept, [DEVICE]) == before + 1
    origin = "select origem from app.dispositivo_config where dispositivo_id = %s and"
    assert a.value(conn, f"{origin} potencia_interna_w = 61.5", [DEVICE]) == "api"
    ahead = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    assert put(desde=ahead, potencia_interna_w=99)[0] == 200
    (now,) = api.get(f"{STATUS}?dispositivo_id={DEVICE}").json()
    assert now["configuracao"]["potencia_interna_w"] == 61.5
    assert put(potencia_interna_w=61.5)[0] == 422
    assert put(potencia_interna_w=-1)[0] == 422
    assert put(desde="2026-11-30T10:00:00", limiar_luz=5)[0] == 422
    assert put(dispositivo_id="", limiar_luz=5)[0] == 422
    assert put(limiar_luz=None)[0] == 422
    assert put(desde=0, limiar_luz=5)[0] == 422
    assert put("comercial", limiar_luz=5)[0] == 403
    assert put("dispositivo", limiar_luz=5)[0] == 403
