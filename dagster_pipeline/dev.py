"""What `make dev` executes: Dagster's page and its daemon, and the data dictionary, once per clone.

Belongs here: whether it runs already, its ports, the inbox. Not here: what it shows (defs/,
docs_site.py).
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import typer

from dagster_pipeline import docs_site, page
from dagster_pipeline.defs.inbox import make as make_inbox
from loaders import usage


def main() -> None:
    """Abre a página do Dagster, ou diz onde ela já está aberta."""
    page.mark().parent.mkdir(parents=True, exist_ok=True)
    with page.mark().with_suffix(".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            where = page.address() or "ainda está abrindo"
            print(f"make dev já está em execução neste clone: {where}")
            return
        raise typer.Exit(_serve())


def _serve() -> int:
    """Run it to its end; its exit code."""
    port = page.free_port()
    page.mark().write_text(json.dumps({"port": port, "pid": os.getpid()}))
    site, making = _serve_docs()
    print(f"Dagster: http://localhost:{port}   caixa de entrada: {make_inbox()}", flush=True)
    print(f"dicionário de dados: {site}{'   (sendo feito)' if making else ''}", flush=True)
    command = [str(Path(sys.executable).with_name("dagster")), "dev", "--port", str(port)]
    command += ["--workspace", str(page.WORKSPACE)]
    # What the library may change some day is not for who reads this terminal.
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    environment.setdefault(docs_site.ADDRESS, site)
    # make leaves background commands deaf to these; Dagster ends its own processes on INT.
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    # In the clone's root it would warn of a dagster.yaml that is not the one it reads.
    process = subprocess.Popen(command, env=environment, cwd=page.mark().parent)
    signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
    # A terminal tells Dagster too; twice, it would not end in order.
    told = os.isatty(0)
    signal.signal(signal.SIGINT, lambda *_: None if told else process.send_signal(signal.SIGINT))
    if making:
        Thread(target=_reload_once_made, args=(making,), daemon=True).start()
    try:
        return process.wait()
    finally:
        page.mark().unlink(missing_ok=True)
        if making:
            making.terminate()


def _serve_docs() -> tuple[str, subprocess.Popen[bytes] | None]:
    """Where the dictionary is; who makes it, where there is none of the project as it stands."""
    making = None
    if not docs_site.is_current():
        docs_site.promise()
        making = subprocess.Popen(
            # After the page, which somebody waits for.
            ["nice", "-n", "15", sys.executable, "-m", docs_site.__name__],
            cwd=page.WORKSPACE.parent,
            stdout=subprocess.DEVNULL,
        )
    port = page.free_port(docs_site.PORT)
    handler = partial(_Quiet, directory=str(docs_site.FOLDER))
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://localhost:{port}", making


def _reload_once_made(making: subprocess.Popen[bytes]) -> None:
    """Columns on Dagster's page say what they are made of once the dictionary is made."""
    if making.wait():
        return
    while not (there := page.address()):
        time.sleep(5)
    with suppress(OSError):
        page.reload(there)


class _Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, without a line for each request."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    app = usage.App()
    app.command()(main)
    usage.run(app)
