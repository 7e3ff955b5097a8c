"""A public share on this machine (WebDAV, ranges), as the Receita's, that misbehaves as told.

Belongs here: answering. Not here: what a delivery of the registry holds (companies.py), any claim.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class Cloud:
    """What the share has, and how its next answers go wrong.

    Attributes:
        files: path → content.
        version: part of every entity tag.
        cuts: so many next downloads end in the middle.
        ignores_range, page: whole files are sent whatever is asked; an HTML page for a folder.
        asked: method or range, path or name, of all requests.
    """

    def __init__(self) -> None:
        """It is empty, and behaves."""
        self.files: dict[str, bytes] = {}
        self.version = 1
        self.cuts = 0
        self.ignores_range = False
        self.page = False
        self.asked: list[tuple[str, str]] = []
        self.url = ""


class _Handler(BaseHTTPRequestHandler):
    cloud: Cloud

    def do_PROPFIND(self) -> None:  # noqa: N802
        path = unquote(self.path).removeprefix("/dav/")
        self.cloud.asked.append(("PROPFIND", path))
        if self.cloud.page:
            self._send(200, b"<!DOCTYPE html><html><body>manuten\xe7\xe3o</html>")
            return
        month = path.strip("/")
        children = {n.split("/")[1] for n in self.cloud.files if month and n.startswith(path)}
        folders = set() if month else {name.split("/")[0] + "/" for name in self.cloud.files}
        items = [self._item(path, "")]
        items += [self._item(path + name, name) for name in sorted(children | folders)]
        body = f'<d:multistatus xmlns:d="DAV:">{"".join(items)}</d:multistatus>'
        self._send(207, b'<?xml version="1.0"?>' + body.encode())

    def _item(self, path: str, name: str) -> str:
        content = self.cloud.files.get(path)
        prop = "<d:resourcetype><d:collection/></d:resourcetype>"
        if content is not None:
            prop = f"<d:getcontentlength>{len(content)}</d:getcontentlength>"
            prop += f'<d:getetag>"{self.cloud.version}-{len(content)}"</d:getetag>'
        return (
            f"<d:response><d:href>/dav/{path}</d:href><d:propstat><d:prop>{prop}</d:prop>"
            "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
        )

    def do_GET(self) -> None:  # noqa: N802
        content = self.cloud.files[unquote(self.path).removeprefix("/dav/")]
        tag = f'"{self.cloud.version}-{len(content)}"'
        wanted = self.headers.get("Range", "")
        self.cloud.asked.append((wanted, unquote(self.path).rsplit("/", 1)[1]))
        begin = 0
        if wanted and self.headers.get("If-Range") == tag and not self.cloud.ignores_range:
            begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
        rest = content[begin:]
        whole = len(rest)
        if self.cloud.cuts:
            self.cloud.cuts -= 1
            rest = rest[: whole // 2]
        self._send(206 if begin else 200, rest, length=whole)

    def _send(self, status: int, body: bytes, *, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@contextmanager
def served() -> Iterator[Cloud]:
    cloud = Cloud()
    handler = type("Handler", (_Handler,), {"cloud": cloud})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    cloud.url = f"http://127.0.0.1:{server.server_port}/dav"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield cloud
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
