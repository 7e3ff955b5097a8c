"""Dagster's page: where it is, and runs of this process that it shows under their job.

Belongs here: what `make run` must know of a `make dev` beside it. Not here: what is run.
"""

import json
import os
import socket
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_pipeline.manifest import CLONE

if TYPE_CHECKING:
    import dagster as dg

WORKSPACE = CLONE / "workspace.yaml"
PORT = 3000
RELOAD = "mutation { reloadWorkspace { __typename } }"


def mark() -> Path:
    """Where `make dev` writes who and where it is."""
    return Path(os.environ.get("DAGSTER_HOME") or CLONE / ".local" / "dagster") / "dev.json"


def address() -> str:
    """Where this clone's page answers now, or nothing."""
    try:
        port = json.loads(mark().read_text())["port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=2) as answer:
            return f"http://localhost:{port}" if "dagster_version" in json.load(answer) else ""
    except (OSError, ValueError, KeyError):
        return ""


def reload(address: str) -> None:
    """Have the page read this clone's code again: what it says of it may have changed.

    Raises:
        OSError: it does not answer.
    """
    asked = {"query": RELOAD}
    request = urllib.request.Request(  # noqa: S310 - http, ours
        f"{address}/graphql", json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=120).close()


def free_port(first: int = PORT) -> int:
    """The first port from ``first`` on that nobody listens on."""
    for port in range(first, first + 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise OSError(f"nenhuma porta livre entre {first} e {first + 99}")


def run_in_process(
    job: "dg.JobDefinition",
    instance: "dg.DagsterInstance",
    config: Mapping[str, Any],
    *,
    listener: "Callable[[dg.EventLogEntry], None]",
) -> "list[dg.DagsterEvent]":
    """Execute a job here; its run carries the origin that the page files runs under.

    ``execute_in_process`` leaves the origin out, and the page's timeline such runs.
    """
    from dagster._core.definitions.job_base import InMemoryJob
    from dagster._core.execution.api import execute_run_iterator
    from dagster._core.remote_origin import RemoteJobOrigin, RemoteRepositoryOrigin
    from dagster._core.workspace.load_target import WorkspaceFileTarget

    (location,) = WorkspaceFileTarget(paths=[str(WORKSPACE)]).create_origins()
    run = instance.create_run_for_job(
        job,
        run_config=config,
        tags={"de": "make"},
        remote_job_origin=RemoteJobOrigin(
            RemoteRepositoryOrigin(location, "__repository__"), job.name
        ),
    )
    instance.add_event_listener(run.run_id, listener)
    return list(execute_run_iterator(InMemoryJob(job), run, instance))
