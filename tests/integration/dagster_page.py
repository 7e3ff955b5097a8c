"""Dagster's page as far as the API knows it: it answers one thing and remembers what it was asked.

Belongs here: that server. Not here: any claim.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LAUNCHED = {"__typename": "LaunchRunSuccess", "run": {"runId": "r-1"}}


@dataclass
class Page:
    """What it answers and was asked.

    Attributes:
        asked: jobs, None for what is no launch.
        configs: of their steps.
    """

    answer: object = field(
        default_factory=lambda: {
            "data": {"launchRun": LAUNCHED, "runsOrError": {"__typename": "Runs", "results": []}}
        }
    )
    asked: list[str | None] = field(default_factory=list)
    configs: list[dict] = field(default_factory=list)
    address: str = ""


@contextmanager
def answering(port: int = 0) -> Iterator[Page]:
    """The page on this port, or on a free one."""
    page = Page()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            page.asked.append(body["variables"].get("job"))
            page.configs.append(body["variables"].get("config"))
            text = json.dumps(page.answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        page.address = f"http://127.0.0.1:{server.server_port}/"
        yield page
        server.shutdown()
        thread.join()
