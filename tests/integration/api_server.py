"""`python -m api servir` in a process of its own, as it is in production, on a free port.

Belongs here: starting, waiting, ending. Not here: any claim. GDAL needs it, which holds this
process's lock while it reads, and /ogc, whose connections belong to one event loop.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration import warehouse as a
from tests.integration.api_client import Api


def free() -> int:
    """A port that nobody has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait(port: int, process: subprocess.Popen) -> None:
    """Until somebody listens."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError(f"nobody listens on {port}")


@contextmanager
def served(api: Api, warehouse: a.Warehouse, **settings: str) -> Iterator[int]:
    """The port of a server on the same warehouse, with the same users and keys as ``api``."""
    port = free()
    env = {**os.environ, **warehouse.env, **settings}
    env |= {"INTEL_API_PORT": str(port), "INTEL_API_KEYS": str(api.settings.keys)}
    command = [sys.executable, "-m", "api", "servir"]
    with subprocess.Popen(command, env=env, cwd=a.CLONE, stderr=subprocess.DEVNULL) as process:
        try:
            wait(port, process)
            yield port
        finally:
            process.terminate()
