"""ANEEL's Hub, CKAN and ArcGIS on this machine, which misbehave as told.

Belongs here: answering. Not here: any claim.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = b"<!DOCTYPE html><html><body>The requested URL was rejected.</body></html>"
ERROR = {"error": {"code": 500, "message": "Unable to perform operation."}}
MISSING = {"error": {"code": 400, "message": "Item does not exist or is inaccessible."}}
Trouble = str | Callable[[bytes], bytes]
TAGS = ["BDGD", "SIG-R", "Distribuicao"]


@dataclass
class Hub:
    """What it lists and has, and how its next answers go wrong.

    Attributes:
        items: id → feature's properties; the order is that of the pages.
        files: id → content.
        resources: of the CKAN package.
        page: features that it gives, whatever is asked for.
        overlap: features of a page that the page before had too.
        matched: what it says it has; None: it says nothing.
        search_troubles, troubles: of the next pages, of the next contents: ``429``, ``503``,
            ``error`` (as 200), ``html``, ``cut``, ``stall``, or a function of the content.
        ranges: ``honoured``, ``ignored``, ``shifted``.
        tagged: whether contents have an entity tag.
        asked: path, and the range that was asked for, of all requests.
    """

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    resources: list[dict[str, Any]] = field(default_factory=list)
    page: int = 100
    overlap: int = 0
    matched: int | None = -1
    search_troubles: list[Trouble] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    ranges: str = "honoured"
    tagged: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    def put(self, item_id: str, title: str, content: bytes = b"", **properties: Any) -> None:  # noqa: ANN401
        """List an item, with its content."""
        said = {
            "title": title,
            "name": f"{title}.gdb.zip",
            "tags": TAGS,
            "modified": 1_754_000_000_000,
        }
        said |= {"size": len(content) or -1, "type": "File Geodatabase"}
        self.items[item_id] = said | properties
        self.files[item_id] = content

    def put_csvs(self, **contents: bytes) -> None:
        """List ``_pj`` CSVs at CKAN."""
        for name, content in contents.items():
            self.files[name] = content
            self.resources.append(
                {
                    "id": f"recurso-{name}",
                    "name": name,
                    "url": f"{self.url}/sharing/rest/content/items/{name}/data",
                    "last_modified": "2025-08-06T18:57:00.000000",
                }
            )

    def downloads(self) -> list[str]:
        """Ranges that contents were asked for."""
        return [wanted for path, wanted in self.asked if path.endswith("/data")]


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:  # noqa: N802
        address = urlsplit(self.path)
        self.hub.asked.append((address.path, self.headers.get("Range", "")))
        self.hub.agents.add(self.headers["User-Agent"])
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/api/search/v1/collections/dataset/items":
            self._misbehave(json.dumps(self._page(query)).encode(), self.hub.search_troubles)
        elif address.path == "/api/3/action/package_show":
            result = {"success": True, "result": {"resources": self.hub.resources}}
            self._send(json.dumps(result).encode())
        else:
            content = self.hub.files.get(address.path.removesuffix("/data").rsplit("/", 1)[-1])
            if content is None:
                self._send(json.dumps(MISSING).encode())
            else:
                self._misbehave(content, self.hub.troubles, ranged=True)

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        assert query["type"] == "File Geodatabase"
        first = max(0, int(query["startindex"]) - 1 - self.hub.overlap)
        most = min(int(query["limit"]), self.hub.page) + (self.hub.overlap if first else 0)
        listed = list(self.hub.items.items())
        features = [
            {"id": i, "type": "Feature", "properties": p} for i, p in listed[first : first + most]
        ]
        answer: dict[str, Any] = {"type": "FeatureCollection", "features": features}
        if self.hub.matched is not None:
            answer["numberMatched"] = self.hub.matched if self.hub.matched >= 0 else len(listed)
        return answer

    def _misbehave(self, content: bytes, troubles: list[Trouble], *, ranged: bool = False) -> None:
        trouble = troubles.pop(0) if troubles else ""
        if callable(trouble):
            content, trouble = trouble(content), ""
        if trouble in ("429", "503"):
            self._send(b"", status=int(trouble), headers={"Retry-After": "0"})
        elif trouble == "error":
            self._send(json.dumps(ERROR).encode())
        elif trouble == "html":
            self._send(PAGE)
        elif ranged:
            self._part(content, trouble)
        else:
            half = content[: len(content) // 2] if trouble in ("cut", "stall") else content
            self._send(half, length=len(content), hold=trouble == "stall")

    def _part(self, content: bytes, trouble: str) -> None:
        tag = f'"{md5(content, usedforsecurity=False).hexdigest()}"' if self.hub.tagged else ""
        headers = {"ETag": tag} if tag else {}
        wanted = self.headers.get("Range", "")
        begin = 0
        if wanted and self.headers.get("If-Range") == tag and self.hub.ranges != "ignored":
            begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(content):
                self._send(b"", status=416)
                return
            said = begin - 1 if self.hub.ranges == "shifted" else begin
            headers["Content-Range"] = f"bytes {said}-{len(content) - 1}/{len(content)}"
        rest = content[begin:]
        sent = rest[: len(rest) // 2] if trouble in ("cut", "stall") else rest
        status = 206 if begin else 200
        hold = trouble == "stall"
        self._send(sent, status=status, length=len(rest), headers=headers, hold=hold)

    def _send(
        self,
        content: bytes,
        *,
        status: int = 200,
        length: int | None = None,
        headers: dict[str, str] | None = None,
        hold: bool = False,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()
        if hold:
            self.hub.released.wait(30)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@contextmanager
def served() -> Iterator[Hub]:
    """A Hub on a port of its own, empty until told."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield hub
        finally:
            hub.released.set()
            server.shutdown()
