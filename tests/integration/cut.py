"""A wire to PostgreSQL that is cut at the n-th thing that a client asks of the server.

Belongs here: counting a client's messages and acting on one of them. Not here: what is proved.
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

ASKING = frozenset(b"QEdc")
"""Message types counted: simple query, execute, a piece of COPY data, the end of a COPY."""

_STARTUP_HEADER = 4
_HEADER = 5


@dataclass
class Cut:
    """Where to cut, and what to do there.

    Attributes:
        at: the number of the message, from 1; 0 never cuts, and so counts.
        answered: let the server answer the message first; the client never hears it.
        act: called once, at the cut, from a thread of the wire.
    """

    at: int
    answered: bool = False
    act: Callable[[], None] = lambda: None
    asked: int = 0
    done: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self) -> bool:
        """Count one message; whether it is the one."""
        with self._lock:
            self.asked += 1
            return self.asked == self.at


def _receive(stream: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        if not (piece := stream.recv(size - len(data))):
            raise ConnectionError
        data += piece
    return data


class _Line:
    """One connection through the wire: two threads, two sockets."""

    def __init__(self, client: socket.socket, server: socket.socket, cut: Cut) -> None:
        self.ends, self.cut = (client, server), cut
        self.deaf = False
        for work in (self._to_server, self._to_client):
            threading.Thread(target=self._run, args=(work,), daemon=True).start()

    def close(self) -> None:
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _run(self, work: Callable[[socket.socket, socket.socket], None]) -> None:
        with suppress(OSError):
            work(*self.ends)
        self.close()

    def _act(self) -> None:
        self.cut.act()
        self.cut.done.set()
        raise ConnectionError

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        size = _receive(client, _STARTUP_HEADER)
        server.sendall(size + _receive(client, struct.unpack("!i", size)[0] - _STARTUP_HEADER))
        while True:
            head = _receive(client, _HEADER)
            body = _receive(client, struct.unpack("!i", head[1:])[0] - _STARTUP_HEADER)
            if head[0] in ASKING and self.cut.count():
                if not self.cut.answered:
                    self._act()
                self.deaf = True
            server.sendall(head + body)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        while data := server.recv(65536):
            if self.deaf:
                self._act()
            client.sendall(data)


@contextmanager
def wire(port: int, cut: Cut) -> Iterator[int]:
    """A port of 127.0.0.1 that leads to PostgreSQL's; ends with every line cut."""
    lines: list[_Line] = []

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                lines.append(_Line(client, socket.create_connection(("127.0.0.1", port)), cut))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    for line in lines:
        line.close()
