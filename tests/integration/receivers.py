"""Receivers of deliveries on this machine: a web server that misbehaves as told, a mail server.

Belongs here: answering and remembering. Not here: any claim.
"""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """What a receiver does next with what it gets, and what it got.

    Attributes:
        behaviour: a status, or ``close``: it takes the request and hangs up without a word.
        got: headers and body of each request that was read whole, whatever was answered.
    """

    def __init__(self) -> None:
        """One that takes everything."""
        self.behaviour: int | str = 200
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.url = ""

    @property
    def keys(self) -> list[str]:
        """The idempotency keys, in the order of arrival."""
        return [headers["Idempotency-Key"] for headers, _ in self.got]


@contextmanager
def web() -> Iterator[Receiver]:
    """A web server on a port of its own."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((dict(self.headers), json.loads(body)))
            if receiver.behaviour == "close":
                self.connection.close()
                return
            self.send_response(int(receiver.behaviour))
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/alertas"
        yield from _serving(server, receiver)


@contextmanager
def mail() -> Iterator[tuple[int, list[str]]]:
    """A mail server that says yes to all: its port, and the messages that it took."""
    messages: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 teste\r\n")
            while line := self.rfile.readline():
                if line.upper().startswith(b"DATA"):
                    self.wfile.write(b"354 diga\r\n")
                    text = []
                    while (more := self.rfile.readline()) != b".\r\n":
                        text.append(more.decode())
                    messages.append("".join(text))
                elif line.upper().startswith(b"QUIT"):
                    self.wfile.write(b"221 tchau\r\n")
                    return
                self.wfile.write(b"250 ok\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        yield from _serving(server, (server.server_address[1], messages))


def _serving(server: socketserver.TCPServer, given: object) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield given
    finally:
        server.shutdown()
        thread.join()
