"""A portal of open data on this machine that misbehaves as told: CKAN, IBGE, INMET.

Belongs here: answering. Not here: what well-behaved sources hold (open_data_samples.py), any claim.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from loaders.open_data.dataset import Dataset
from tests import open_data_samples as made

PAGE = b"<!DOCTYPE html><html><body>The requested URL was rejected.</body></html>"


class Portal:
    """What the portal has, and how it misbehaves.

    Attributes:
        files: path → content.
        dates: path → Last-Modified; also the package's ``last_modified``.
        troubles: of the next answers of content: ``429``, ``503``, ``cut``, ``html``, ``stall``,
            ``page`` (half a page), or a function of the content.
        asked: paths of all requests.
    """

    def __init__(self) -> None:
        """It has a whole file of every dataset, and behaves."""
        self.files: dict[str, bytes] = {}
        self.dates: dict[str, str] = {}
        self.troubles: list[str | Callable[[bytes], bytes]] = []
        self.asked: list[str] = []
        self.agents: set[str] = set()
        self.url = ""
        self.released = threading.Event()

    def base(self, dataset: Dataset) -> str:
        """What ``--endereco`` says to ask this portal for a dataset."""
        assert dataset.origin is not None
        if dataset.origin.way == "url":
            return f"{self.url}/{dataset.id}" + ("_{ano}" if "{ano}" in dataset.origin.base else "")
        return self.url

    def put(self, dataset: Dataset, content: bytes | None = None, year: int = 2024) -> str:
        """Have a file of a dataset; returns its path."""
        content = made.samples()[dataset.id] if content is None else content
        origin = dataset.origin
        assert origin is not None
        path = f"/{dataset.id}"
        if origin.way == "ckan":
            path += f"-{year}-{year + 5}.csv"
        elif "{ano}" in origin.base:
            path += f"_{year}"
        self.files[path] = content
        return path


class _Handler(BaseHTTPRequestHandler):
    portal: Portal

    def do_GET(self) -> None:  # noqa: N802
        address = urlsplit(self.path)
        self.portal.asked.append(address.path)
        self.portal.agents.add(self.headers["User-Agent"])
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path.endswith("/package_show"):
            self._send(json.dumps(self._package(query["id"])).encode())
            return
        date = self.portal.dates.get(address.path)
        if date and self.headers.get("If-Modified-Since") == date:
            self._send(b"", status=304)
            return
        if address.path.endswith("/datastore_search"):
            content = json.dumps(self._page(query)).encode()
        elif address.path in self.portal.files:
            content = self.portal.files[address.path]
        else:
            self._send(b"", status=404)
            return
        self._misbehave(content, date)

    def _misbehave(self, content: bytes, date: str | None) -> None:
        trouble = self.portal.troubles.pop(0) if self.portal.troubles else ""
        if callable(trouble):
            self._send(trouble(content), date=date)
        elif trouble in ("429", "503"):
            self._send(b"", status=int(trouble), headers={"Retry-After": "0"})
        elif trouble == "html":
            self._send(PAGE)
        elif trouble == "cut":
            self._send(content[: len(content) // 2], length=len(content))
        elif trouble == "stall":
            self._send(content[:10], length=len(content), hold=True)
        else:
            self._send(content, date=date)

    def _send(
        self,
        content: bytes,
        *,
        status: int = 200,
        length: int | None = None,
        date: str | None = None,
        headers: dict[str, str] | None = None,
        hold: bool = False,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if date:
            self.send_header("Last-Modified", date)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()
        if hold:
            self.portal.released.wait(30)
        if length is not None:
            self.close_connection = True

    def _package(self, package: str) -> dict[str, Any]:
        """Every file of the portal is a resource; a package's id is of no account here."""
        resources = [
            {
                "id": _IDS.get(path.split("-")[0].strip("/"), path),
                "name": path.strip("/"),
                "format": "CSV",
                "url": self.portal.url + path,
                "last_modified": self.portal.dates.get(path),
            }
            for path in self.portal.files
        ]
        return {"success": True, "result": {"id": package, "resources": resources}}

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        result = made.BANDEIRAS["result"]
        first = int(query["offset"])
        records = result["records"][first : first + int(query["limit"])]  # type: ignore[index]
        return {"success": True, "result": result | {"records": records}}  # type: ignore[operator]

    def log_message(self, *_: object) -> None: ...


_IDS = {
    "tarifas": "fcf2906c-7c32-4b9b-a637-054e7a5234f4",
    "geracao_distribuida": "b1bd71e7-d0ad-4214-9053-cbd58e9564a7",
}


@contextmanager
def portal() -> Iterator[Portal]:
    """A portal on a port of its own, empty until told."""
    fake = Portal()
    handler = type("Handler", (_Handler,), {"portal": fake})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        fake.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield fake
        finally:
            fake.released.set()
            server.shutdown()
