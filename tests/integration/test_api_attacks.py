"""Hostile requests: SQL in every filter, bodies too large or too deep, paths, formulas, scripts.

Not here: tokens that are not ours (test_api_access.py).
"""

import base64
import csv
import io
import json
import socket
import struct
import threading
from collections.abc import Iterator

import psycopg
import pytest
import uvicorn
from psycopg import sql

from api import observe
from api.formats import as_csv
from tests.integration import warehouse as a
from tests.integration.api_client import Api

LEADS = "/api/v1/leads"
HOSTILE = [
    "' or '1'='1",
    "1; drop table app.usuario; --",
    "1) or pg_sleep(9) is null --",
    "%(uf)s",
    "{}",
    "\0",
    "\\",
    "$$",
    "1e999",
    "-1",
    "9" * 40,
    "Infinity",
    "NaN",
    "\ud800",
    "ç" * 150,
    "x" * 5000,
    "../../etc/passwd",
    "<script>alert(1)</script>",
]


def parameters(api: Api) -> Iterator[tuple[str, str]]:
    """Path and name of every query parameter of every GET in the specification."""
    spec = api.http.get("/api/v1/openapi.json").json()
    for path, methods in spec["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", []):
            if parameter["in"] == "query":
                yield path, parameter["name"]


def test_sql_in_every_filter_finds_nothing_and_breaks_nothing(
    api: Api, conn: psycopg.Connection
) -> None:
    """A 200 is an honest one: a page of what has that odd value, which nothing has."""
    tried = list(parameters(api))
    assert len(tried) > 100
    count = "select count(*) from app.usuario"
    before = a.value(conn, count)
    for path, name in tried:
        for word in HOSTILE:
            word = word.encode("utf-8", "surrogatepass")
            address = path.replace("{municipio_id}", "4320909").replace("{uc_id}", str_uuid())
            query = f"{name}={''.join(f'%{byte:02X}' for byte in word)}"
            answer = api.get(f"{address}?{query}", "admin")
            assert answer.status_code in (200, 404, 406, 414, 422), (path, query, answer.text)
            if answer.status_code == 200 and name not in ("limite", "cursor", "total"):
                kept_anyway = name.endswith(("_min", "_max"))
                body = answer.json()
                items = body if isinstance(body, list) else body["itens"]
                assert kept_anyway or items == [], (path, query)
    assert a.value(conn, count) == before


def str_uuid() -> str:
    """A key that no lead has."""
    return "00000000-0000-0000-0000-000000000000"


NUMBERS = ("1e999", "-1", "9" * 40, "Infinity", "NaN")
"""What PostgreSQL takes for a score: a page begins there, and shows what anybody may see."""


@pytest.mark.parametrize("word", HOSTILE)
def test_a_forged_cursor_is_refused(api: Api, word: str) -> None:
    order = ["melhor_score", True]
    for position in ([word, str_uuid()], ["1", word], [word], [None, None], [1, 2], word, {}):
        text = json.dumps([order, position]).encode()
        cursor = base64.urlsafe_b64encode(text).decode().rstrip("=")
        status = api.http.get(
            LEADS, params={"cursor": cursor}, headers=api.bearer("leitor")
        ).status_code
        assert status in (404, 422) or (status == 200 and word in NUMBERS)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/../../etc/passwd",
        "/api/v1/%2e%2e/%2e%2e/etc/passwd",
        "/api/v1/leads/..%2f..%2fusuarios",
        "/api/v1/leads/%00",
        "//api/v1/leads",
        "/api/v1/leads/",
        "/api/v1/usuarios/%2e%2e",
        "/api/v1/municipios/1%3Bselect/resumo",
    ],
)
def test_paths_lead_nowhere_else(api: Api, path: str) -> None:
    answer = api.http.get(path, headers=api.bearer("leitor"), follow_redirects=False)
    assert answer.status_code in (307, 403, 404, 405, 422)
    if answer.status_code != 307:
        # Where the path is none of the API's, the panel's page answers; here it is not made.
        panel = answer.status_code == 404 and "make painel" in answer.text
        assert panel or answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [b"[" * 30_000, b'{"a":' * 10_000, b"[" * 10_000 + b"]" * 10_000, b"\xff\xfe", b"", b"null"],
)
def test_what_is_no_json_for_us_is_refused(api: Api, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = api.http.post("/api/v1/sessoes", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_large_is_refused_before_it_is_kept(api: Api) -> None:
    big = b"x" * (observe.BODY_BYTES + 1)
    headers = {"content-type": "application/json"}
    answer = api.http.post("/api/v1/sessoes", content=big, headers=headers)
    assert answer.status_code == 413

    def parts() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 1024

    answer = api.http.post("/api/v1/sessoes", content=parts(), headers=headers)
    assert "content-length" not in answer.request.headers
    assert answer.status_code == 413


def test_a_body_that_does_not_come_is_not_waited_for(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a real socket: headers, half a body, silence."""
    monkeypatch.setattr(observe, "BODY_S", 0.2)
    with serving(api) as port, socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(
            b"POST /api/v1/sessoes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b'content-length: 50\r\n\r\n{"nome":'
        )
        assert line.recv(100).startswith(b"HTTP/1.1 408")


def test_an_address_that_is_too_long_is_a_problem(api: Api) -> None:
    refused = api.get(f"{LEADS}?uf={'R' * 8200}")
    assert refused.status_code == 414
    assert refused.json()["type"] == "urn:intel-lead:problema:endereco-longo"
    many = "&municipio=".join(["1"] * 49)
    assert api.get(f"{LEADS}?limite=1&municipio={many}").status_code == 200


def test_who_goes_away_in_the_middle_costs_nothing(api: Api) -> None:
    with serving(api) as port:
        for _ in range(20):
            line = socket.create_connection(("127.0.0.1", port), timeout=30)
            line.sendall(b"POST /api/v1/sessoes HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
            gone = struct.pack("ii", 1, 0)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, gone)
            line.close()
        assert api.get(f"{LEADS}?limite=1").status_code == 200


class serving:  # noqa: N801 - a context manager
    """The app on a port of its own."""

    def __init__(self, api: Api) -> None:
        """Of this app, whose pools are open."""
        config = uvicorn.Config(api.app, port=0, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)

    def __enter__(self) -> int:
        """Start; the port."""
        self._thread.start()
        a.until(lambda: self._server.started)
        return self._server.servers[0].sockets[0].getsockname()[1]

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.should_exit = True
        self._thread.join()


# What goes out ------------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "|calc", '=HYPERLINK("http://x")']


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text_to_a_spreadsheet(text: str) -> None:
    rows = list(csv.reader(io.StringIO(as_csv(["a", "b"], [{"a": text, "b": -1.5}]).decode())))
    assert rows[1] == [f"'{text}", "-1.5"]
    assert as_csv(["a"], [{"a": "Ana = x, 1"}]) == b'a\r\n"Ana = x, 1"\r\n'


def test_a_formula_in_the_data_leaves_as_text(api: Api, conn: psycopg.Connection) -> None:
    """A bairro as a distributor may have typed it."""
    uc_id = a.value(conn, "select uc_id::text from marts.mart_lead order by uc_id limit 1")
    place = "update {} set bairro = %s where uc_id = %s returning 1"
    table = sql.SQL(place).format(sql.Identifier("marts", "mart_lead_safra"))
    before = a.value(conn, "select bairro from marts.mart_lead where uc_id = %s", [uc_id])
    conn.execute(table, ["=cmd|' /C calc'!A0", uc_id])
    try:
        answer = api.get(f"{LEADS}?limite=1&ordem=uc_id&formato=csv")
    finally:
        conn.execute(table, [before, uc_id])
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["bairro"] == "'=cmd|' /C calc'!A0"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_script_in_a_note_stays_text(api: Api, conn: psycopg.Connection) -> None:
    uc_id = a.value(conn, "select uc_id::text from marts.mart_lead order by uc_id limit 1")
    path, script = f"{LEADS}/{uc_id}/acompanhamento", "<script>alert(1)</script>"
    said = {"situacao": "novo", "observacao": script}
    done = api.http.put(f"{path}/gtd", json=said, headers=api.bearer("comercial"))
    assert done.status_code == 204
    answer = api.get(path)
    assert script in {one["observacao"] for one in answer.json()}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_error_says_nothing_of_the_inside(
    api: Api, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("select senha_hash from app.usuario")

    monkeypatch.setattr("api.listings.query.statement", broken)
    answer = api.get(LEADS)
    assert (answer.status_code, answer.json()["detail"]) == (500, "erro inesperado")
    assert "senha" not in answer.text
    number = answer.headers["x-request-id"]
    assert answer.json()["pedido"] == number
    status = "select status from app.auditoria where pedido = %s"
    assert a.value(conn, status, [number]) == 500


def test_the_readers_connections_can_write_nothing(api: Api) -> None:
    for pool, command, error in (
        (api.app.state.pools.reading, "delete from raw.aicss_leitura", psycopg.Error),
        (api.app.state.pools.reading, "select * from app.usuario", psycopg.Error),
        (api.app.state.pools.reading, "select * from intel_lead.lead_bruto", psycopg.Error),
        (api.app.state.pools.app, "select * from marts.mart_lead", psycopg.Error),
        (api.app.state.pools.app, "update app.auditoria set usuario = 'x'", psycopg.Error),
        (api.app.state.pools.app, "delete from app.usuario", psycopg.Error),
    ):
        with pool.connection() as conn, pytest.raises(error) as refused:
            conn.execute(command)
        assert refused.value.sqlstate in ("42501", "25006"), command
