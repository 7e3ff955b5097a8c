"""What a service runs of Dagster: its page, and its daemon, each by itself (`make dev` is both).

Belongs here: one daemon a clone, where `make status` finds the page. Not here: units
(server/services.py), containers (compose.yaml).
``python -m dagster_pipeline.service page|daemon [--host 127.0.0.1] [--port 3000]
[--workspace workspace.yaml]``: becomes Dagster's own program; exit 1 while a `make dev` runs.
"""

import fcntl
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from dagster_pipeline import page as dagster_page
from loaders import usage

app = usage.App(no_args_is_help=True)
Workspace = Annotated[Path, typer.Option("--workspace", exists=True, help="Onde está o código.")]


@app.callback(help="A página do Dagster, ou o que roda agendas e sensores, como serviço.")
def commands() -> None:
    """Dagster's parts as services."""


@app.command("page", help="A página do Dagster.")
def page(
    *,
    host: Annotated[str, typer.Option("--host", help="Onde atende.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", envvar="INTEL_DAGSTER_PORT", help="Em que porta.")
    ] = dagster_page.PORT,
    workspace: Workspace = dagster_page.WORKSPACE,
) -> None:
    """Serve Dagster's page."""
    mark = dagster_page.mark()
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(json.dumps({"port": port, "pid": os.getpid()}))
    _become("dagster-webserver", "-h", host, "-p", str(port), "-w", str(workspace.resolve()))


@app.command("daemon", help="O que roda agendas, sensores e a fila.")
def daemon(*, workspace: Workspace = dagster_page.WORKSPACE) -> None:
    """Run schedules, sensors and the queue."""
    lock = dagster_page.mark().with_suffix(".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.stderr.write("o Dagster deste clone já roda (make dev?): encerre-o primeiro\n")
        raise typer.Exit(1) from None
    os.set_inheritable(handle, True)  # held for as long as the daemon lives
    _become("dagster-daemon", "run", "-w", str(workspace.resolve()))


def _become(program: str, *arguments: str) -> None:
    """Become one of Dagster's programs, which stand beside this python."""
    # In the clone's root it would warn of a dagster.yaml that is not the one it reads.
    os.chdir(dagster_page.mark().parent)
    path = Path(sys.executable).with_name(program)
    os.environ["PYTHONWARNINGS"] = "ignore"
    os.execv(path, [str(path), *arguments])


if __name__ == "__main__":
    usage.run(app)
