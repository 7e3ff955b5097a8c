"""Readers while a safra is replaced, and while a token is taken away: no error, no wrong row.

Not here: how fast (bench/api.py), the publication itself (test_publication.py).
"""

import json
import threading
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from pathlib import Path

import psycopg
import pytest

from api.auth import users
from api.auth.users import NewUser, Role
from tests.integration import warehouse as a
from tests.integration.api_client import PASSWORD, Api
from tests.integration.api_server import served

LEADS = "/api/v1/leads?distribuidora=401&limite=1000&ordem=uc_id"


def leads(conn: psycopg.Connection) -> frozenset[tuple[str, float | None]]:
    """What readers see of 401's leads: key and energy."""
    query = (
        "select uc_id::text, energia_anual_kwh from marts.mart_lead where distribuidora_id = 401"
    )
    return frozenset(conn.execute(query).fetchall())


class Readers:
    """Callers of a server, one connection each, who ask again and again until told to stop."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        """With one credential for all of them."""
        self.port, self.headers = port, headers
        self.over = threading.Event()
        self.faults: list[str] = []
        self.asked = 0

    def work(self, path: str, judge: Callable[[int, bytes], str]) -> None:
        """Ask; ``judge`` says what is wrong with an answer, or nothing."""
        conn = HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self.over.is_set():
            conn.request("GET", path, headers=self.headers)
            answer = conn.getresponse()
            body = answer.read()
            self.asked += 1
            if wrong := judge(answer.status, body):
                self.faults.append(f"{path}: {answer.status} {wrong}")


def start(work: Callable[..., None], *arguments: object) -> threading.Thread:
    """A running thread."""
    thread = threading.Thread(target=work, args=arguments)
    thread.start()
    return thread


def test_readers_beside_a_publication_see_all_of_the_old_or_all_of_the_new(
    api: Api, warehouse: a.Warehouse, conn: psycopg.Connection, files: Mapping[str, Path]
) -> None:
    seen: set[frozenset] = set()
    stays = a.value(
        conn, "select uc_id::text from marts.mart_lead where distribuidora_id = 404 limit 1"
    )

    def rows(status: int, body: bytes) -> str:
        if status != 200:
            return body.decode()
        items = json.loads(body)["itens"]
        seen.add(frozenset((row["uc_id"], row["energia_anual_kwh"]) for row in items))
        return ""

    def fine(status: int, body: bytes) -> str:
        return "" if status in (200, 204) else body.decode(errors="replace")

    before = leads(conn)
    with served(api, warehouse) as port:
        readers = Readers(port, api.bearer("parceiro"))
        jobs = [(LEADS, rows), (LEADS, rows), (f"/api/v1/leads/{stays}", fine)]
        jobs += [
            (path, fine)
            for path in (
                "/api/v1/distribuidoras",
                "/api/v1/perdas?distribuidora=401",
                "/api/v1/mapas/leads/5/11/18.mvt",
                "/api/v1/mapas/hexagonos/9/182/297.mvt",
                "/ogc/collections/leads/items?limit=100",
            )
        ]
        threads = [start(readers.work, *job) for job in jobs]
        try:
            assert warehouse.load(files["nova"]).ok
            done = warehouse.build(*a.ALL)
            assert done.ok, done.trouble
        finally:
            readers.over.set()
            for thread in threads:
                thread.join()
        last = json.loads(api.get(LEADS, "parceiro").content)["itens"]
    after = leads(conn)
    assert before != after
    assert readers.faults == []
    assert readers.asked > 100
    assert seen <= {before, after}, [len(found) for found in seen]
    assert before in seen
    assert frozenset((row["uc_id"], row["energia_anual_kwh"]) for row in last) == after


@pytest.mark.parametrize("how", ["user", "session"])
def test_a_token_that_is_taken_away_ends_at_once(
    api: Api, warehouse: a.Warehouse, how: str
) -> None:
    """Requests that begin after it are refused, all of them; those before were answered."""
    name = f"fim_{how}"
    with api.writing() as conn:
        users.create(conn, NewUser(name, Role.READER, PASSWORD))
    api.reset_limits()
    token = api.log_in(name, PASSWORD).json()["token_acesso"]
    headers = {"Authorization": f"Bearer {token}"}
    with served(api, warehouse) as port:
        before = Readers(port, headers)

        def either(status: int, body: bytes) -> str:
            return "" if status in (200, 401) else body.decode()

        threads = [start(before.work, "/api/v1/leads?limite=5", either) for _ in range(4)]
        try:
            while before.asked < 40:
                assert api.with_token(token).status_code == 200
            if how == "user":
                with api.writing() as conn:
                    users.stop(conn, name)
            else:
                assert api.http.delete("/api/v1/sessoes/atual", headers=headers).status_code == 204
            late = [api.with_token(token).status_code for _ in range(20)]
        finally:
            before.over.set()
            for thread in threads:
                thread.join()
    assert set(late) == {401}
    assert before.faults == []
