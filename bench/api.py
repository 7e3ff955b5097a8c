"""The API under load: a page of leads against its SQL, one lead, mixed reads, tiles.

Belongs here: these figures. Not here: what the API answers (its tests).
"""

import gzip
import http.client
import json
import math
import os
import random
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from api import database
from api.leads import filters
from api.listings import query
from api.listings.routes import visible
from bench.measure import BenchError, Figure, ms, say
from bench.warehouse import PYTHON, Bench
from loaders.synthetic import mesh

NAME = "api"
ABOUT = """\
`python -m api servir` with two workers, called over HTTP with a partner's key, every call audited.
*SQL*: the very statement of a page of 100 leads, fetched through a psycopg pool like the API's, in
turns with the API. Mixed reads: 40 % pages of leads, 30 % leads, the rest lists and tiles; the
callers, the API and PostgreSQL share the machine's cores. Municípios: a made-up mesh of all of
them, each tile of zooms 0 to 9, up to sixty a zoom."""
ROUNDS, CALLERS, SECONDS = 300, 8, 20
WANTED_PER_S = 200


@dataclass(frozen=True)
class Caller:
    """One kept-alive connection of a caller with a key."""

    http: http.client.HTTPConnection
    key: str

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        headers = {"Authorization": f"Bearer {self.key}", "Accept-Encoding": "gzip"}
        self.http.request("GET", path, headers=headers)
        answer = self.http.getresponse()
        return answer.status, answer.read()


def minutes(bench: Bench, ucs: int) -> float:
    """How long this takes, about, a warehouse included."""
    return ucs * 5 / 1e6 + 4


def measure(bench: Bench, ucs: int) -> list[Figure]:
    """Take the figures of one size."""
    with bench.live(bench.built(ucs)), _environment(bench):
        file = mesh.write(bench.folder / "malha.geojson", mesh.brazil())
        bench.python("malha", "loaders", "malha", file)
        bench.build()
        bench.python("roles", "server.roles", "create")
        with _served(bench) as (port, key):

            def caller() -> Caller:
                return Caller(http.client.HTTPConnection("127.0.0.1", port, timeout=60), key)

            return [*_pages(ucs, caller()), _mixed(ucs, caller), *_tiles(ucs, caller())]


@contextmanager
def _environment(bench: Bench) -> Iterator[None]:
    """This process finds the live database too, for a pool like the API's."""
    before = dict(os.environ)
    os.environ |= {k: v for k, v in bench.env.items() if k.startswith("PG")}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


@contextmanager
def _served(bench: Bench) -> Iterator[tuple[int, str]]:
    """A server on a free port, and the key of a partner who may call it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = bench.env | {
        "INTEL_API_PORT": str(port),
        "INTEL_API_WORKERS": "2",
        "INTEL_API_KEYS": str(bench.folder / "chaves.json"),
    }
    name = f"bancada{time.time_ns()}"
    command = [str(PYTHON), "-m", "api", "usuario", "criar", name, "--papel", "parceiro"]
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    with (bench.folder / "logs" / "api.log").open("w") as log:
        server = subprocess.Popen([str(PYTHON), "-m", "api", "servir"], env=env, stderr=log)
        try:
            _wait(port, server)
            yield port, said.split(": ")[-1].strip()
        finally:
            server.terminate()
            server.wait()


def _wait(port: int, server: subprocess.Popen) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            http_ = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            http_.request("GET", "/api/v1/saude")
            if http_.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise BenchError("the API did not start: logs/api.log")


def _p95(times: list[float]) -> float:
    """Milliseconds that 95 of 100 stay below."""
    return 1000 * sorted(times)[math.ceil(0.95 * len(times)) - 1]


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _ask(caller: Caller, path: str) -> bytes:
    status, body = caller.get(path)
    if status not in (200, 204):
        raise BenchError(f"{path}: {status} {body[:200]!r}")
    return body


def _pages(ucs: int, caller: Caller) -> list[Figure]:
    """A page of the best leads beside its SQL; one lead."""
    with database.connect_as(database.READER) as conn:
        columns = list(visible(database.catalogue(conn)[filters.RELATION]))
        ids = [str(u) for (u,) in conn.execute("select uc_id from mart_lead limit 200")]
    asked = filters.question(filters.LeadFilters(), columns)
    statement, values = query.statement(asked, 101)
    pools = database.pools(2)
    pools.reading.open(wait=True)

    def by_sql() -> list[tuple]:
        with pools.reading.connection() as conn:
            return conn.execute(statement, values).fetchall()

    times: dict[str, list[float]] = {"sql": [], "page": [], "lead": []}
    for number in range(ROUNDS + 20):
        uc_id = ids[number % len(ids)]
        found = {
            "sql": _timed(by_sql),
            "page": _timed(lambda: _ask(caller, "/api/v1/leads")),
            "lead": _timed(lambda u=uc_id: _ask(caller, f"/api/v1/leads/{u}")),
        }
        if number >= 20:
            for name, seconds in found.items():
                times[name].append(seconds)
    pools.reading.close()
    sql, page, lead = (_p95(times[name]) for name in ("sql", "page", "lead"))
    middle = 1000 * statistics.median(times["page"]) / (1000 * statistics.median(times["sql"]))
    return [
        Figure(
            group=NAME,
            ucs=ucs,
            what=f"page of 100 leads, p95, API vs its SQL (medians: {middle:.2f} ×)",
            ours=ms(page),
            other=ms(sql),
            value=page / sql,
            target=1.5,
        ),
        Figure(
            group=NAME,
            ucs=ucs,
            what="one lead with everything, p95",
            ours=ms(lead),
            other="",
            value=lead,
            unit="ms",
            target=30,
        ),
    ]


def _mixed(ucs: int, caller: Callable[[], Caller]) -> Figure:
    """Requests a second of eight callers, none of which may fail."""
    first = json.loads(gunzipped(_ask(caller(), "/api/v1/leads?limite=1000&ordem=uc_id")))
    ids = [row["uc_id"] for row in first["itens"]]
    lists = ["distribuidoras", "municipios?limite=50", "perdas?limite=50", "hexagonos?limite=50"]
    lists += ["mapas/leads/6/23/36.mvt", "mapas/municipios/7/45/73.mvt", "leads?limite=1"]
    times: list[float] = []
    faults: list[str] = []
    end = time.monotonic() + SECONDS

    def work(seed: int) -> None:
        chance, mine = random.Random(seed), caller()
        while time.monotonic() < end:
            dice = chance.random()
            if dice < 0.4:
                path = f"leads?limite=20&score_min={chance.randrange(40)}"
            elif dice < 0.7:
                path = f"leads/{chance.choice(ids)}"
            else:
                path = chance.choice(lists)
            try:
                times.append(_timed(lambda p=path: _ask(mine, f"/api/v1/{p}")))
            except (BenchError, OSError, http.client.HTTPException) as error:
                faults.append(str(error))
                return

    threads = [threading.Thread(target=work, args=(n,)) for n in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise BenchError(f"{len(faults)} requests failed: {faults[0]}")
    rate = len(times) / SECONDS
    return Figure(
        group=NAME,
        ucs=ucs,
        what=f"mixed reads, {CALLERS} callers, no error in {len(times):,}",
        ours=f"{rate:.0f} a second, p95 {_p95(times):.0f} ms",
        other="",
        value=rate,
        unit="/s",
        target=WANTED_PER_S,
        at_least=True,
    )


def gunzipped(body: bytes) -> bytes:
    """A body as it was before."""
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def _tiles(ucs: int, caller: Caller) -> list[Figure]:
    """Every tile of municípios, up to sixty a zoom, and the leads' where they are."""
    times, sizes = [], []
    for z in range(10):
        for x, y in _of_brazil(z)[:60]:
            path = f"/api/v1/mapas/municipios/{z}/{x}/{y}.mvt"
            start = time.perf_counter()
            sizes.append(len(_ask(caller, path)))
            times.append(time.perf_counter() - start)
    say(f"  {len(times)} tiles of municípios")
    with database.connect_as(database.READER) as conn:
        leads = _of_leads(conn)
    weights = [len(_ask(caller, f"/api/v1/mapas/leads/{z}/{x}/{y}.mvt")) for z, x, y in leads]
    return [
        Figure(
            group=NAME,
            ucs=ucs,
            what=f"tiles of all municípios, p95 of {len(times)}",
            ours=ms(_p95(times)),
            other="",
            value=_p95(times),
            unit="ms",
            target=150,
        ),
        Figure(
            group=NAME,
            ucs=ucs,
            what="the largest tile of municípios, gzipped",
            ours=f"{max(sizes) / 1000:.0f} kB",
            other="",
            value=max(sizes) / 1000,
            unit="kB",
            target=100,
        ),
        Figure(
            group=NAME,
            ucs=ucs,
            what=f"the largest of {len(leads)} tiles of leads, zooms 0 to 16, gzipped",
            ours=f"{max(weights) / 1000:.0f} kB",
            other="",
            value=max(weights) / 1000,
            unit="kB",
            target=250,
        ),
    ]


def _place(longitude: float, latitude: float, z: int) -> tuple[int, int]:
    north = math.asinh(math.tan(math.radians(latitude)))
    return int((longitude + 180) / 360 * 2**z), int((1 - north / math.pi) / 2 * 2**z)


def _of_brazil(z: int) -> list[tuple[int, int]]:
    (x0, y0), (x1, y1) = _place(-73, 4.5, z), _place(-35.5, -33, z)
    found = [(x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)]
    random.Random(z).shuffle(found)
    return found


def _of_leads(conn: psycopg.Connection) -> list[tuple[int, int, int]]:
    """The tile with most leads of each zoom."""
    return [
        conn.execute(
            "select %(z)s::integer, floor((longitude + 180) / 360 * 2 ^ %(z)s)::integer as x,"
            " floor((1 - asinh(tan(radians(latitude))) / pi()) / 2 * 2 ^ %(z)s)::integer as y"
            " from mart_lead where latitude is not null group by 2, 3"
            " order by count(*) desc limit 1",
            {"z": z},
        ).fetchone()
        for z in range(17)
    ]
