"""One ``dbt build`` as a process: its progress while it runs, what became of each node afterwards.

Belongs here: starting dbt, reading what it says. Not here: which safras it builds and what follows
from a failure (batch.py), Dagster (defs/).
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dagster_pipeline import manifest

BAD = ("error", "fail", "runtime error")
"""Statuses of a node that keep dbt from a good end."""

CLOCK = re.compile(r"^\d\d:\d\d:\d\d  ")
NODE_ENDED = re.compile(r"(\d+) of (\d+) (?!START)")
"""dbt's lines, as text: as JSON they took a fifth of its own time, those that nobody sees too."""


@dataclass(frozen=True)
class Node:
    """What became of one model, seed or test.

    Attributes:
        code: the SQL that ran, as dbt compiled it.
    """

    id: str
    status: str
    message: str
    seconds: float
    code: str

    @property
    def kind(self) -> str:
        """``model``, ``test``, ``seed``, ``operation``."""
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        """The node's name; of a generic test without its hash."""
        return self.id.split(".")[2]


@dataclass(frozen=True)
class Done:
    """A finished dbt command; ``text`` is the end of what it said."""

    code: int
    invocation: str
    nodes: tuple[Node, ...] = field(repr=False)
    text: str = field(repr=False)

    @property
    def bad(self) -> list[Node]:
        """What failed; a hook that complains of failed safras repeats what their table says."""
        return [n for n in self.nodes if n.status in BAD and n.kind != "operation"]


def build(
    *arguments: str, keys: tuple[str, ...] = (), progress: Callable[[str], None] = lambda _: None
) -> Done:
    """Run ``dbt build`` of everything but unit tests; what dbt says goes to this process' output.

    Args:
        arguments: further ones, a selection for instance.
        keys: safras to build whatever their state; none: those that are pending.
        progress: called with ``"12 de 316"`` as nodes end.
    """
    manifest.prepare()
    target = manifest.target() / "build"
    target.mkdir(parents=True, exist_ok=True)
    # As parsed: dbt reads it again (5 s) where it finds none in its own folder.
    shutil.copy2(manifest.parsed() / "partial_parse.msgpack", target)
    results = target / "run_results.json"
    results.unlink(missing_ok=True)
    command = [manifest.ALONE, "--no-use-colors", "build"]
    command += ["--exclude-resource-type", "unit_test", *arguments, "--target-path", target]
    variables = os.environ | manifest.alone()
    variables |= {"DBT_SAFRA": ",".join(keys), "DBT_PROFILES_DIR": str(manifest.CLONE)}
    variables |= {"DBT_PROJECT_DIR": str(manifest.PROJECT)}
    said: list[str] = []
    with _running([str(part) for part in command], variables) as process:
        assert process.stdout is not None
        for line in process.stdout:
            text = CLOCK.sub("", line.rstrip())
            print(text, flush=True)
            said.append(text)
            if ended := NODE_ENDED.match(text):
                progress(f"{ended[1]} de {ended[2]}")
    if not results.exists():
        return Done(process.returncode or 1, "", (), "\n".join(said[-30:]))
    found = json.loads(results.read_text())
    nodes = tuple(
        Node(
            id=node["unique_id"],
            status=node["status"],
            message=node["message"] or "",
            seconds=node["execution_time"],
            code=node.get("compiled_code") or "",
        )
        for node in found["results"]
    )
    invocation = found["metadata"]["invocation_id"]
    return Done(process.returncode, invocation, nodes, "\n".join(said[-30:]))


@contextmanager
def _running(command: list[str], variables: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The process; ended with us, whatever ends us but kill -9 (dbt_alone waits for that one)."""
    process = subprocess.Popen(
        command,
        cwd=manifest.PROJECT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
        process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
