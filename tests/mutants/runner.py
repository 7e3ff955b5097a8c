"""pytest for one mutant after another, in a fork of a process that has the libraries imported.

Belongs here: starting tests, ending them. Not here: which ones, of what (judge_python.py), nor the
product: whatever is imported before the fork keeps its first state.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIBRARIES = ("hypothesis", "pyogrio", "geopandas", "psycopg", "great_expectations", "typer", "rich")
"""What tests of loaders import: 20 s of their time on the machine that they were measured on."""
_BETWEEN_LOOKS_S = 0.02


class Runner:
    """A process in a copy of the clone that forks for each call; whose modules come first there."""

    def __init__(self, folder: Path, env: dict[str, str], patience: float) -> None:
        """Start it; ``patience`` is how many seconds one call may take. It ends with its maker."""
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.mutants.runner", str(patience)],
            cwd=folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, arguments: list[str]) -> tuple[int | None, str]:
        """Exit code of pytest, nothing where it did not end in time, and what it printed."""
        print(json.dumps(arguments), file=self.process.stdin, flush=True)
        code, said = json.loads(self.process.stdout.readline())
        return code, said


def _forked(arguments: list[str], patience: float) -> tuple[int | None, str]:
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if not child:
            _pytest(arguments, said.fileno())
        code = _code(child, time.monotonic() + patience)
        said.seek(0)
        return code, said.read().decode(errors="replace")


def _pytest(arguments: list[str], said: int) -> None:
    """In the fork: never returns."""
    os.setsid()
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # Python takes the environment from loaders/environment.py as it starts: before any fault.
    for name in [name for name in sys.modules if name.partition(".")[0] == "loaders"]:
        del sys.modules[name]
    code = 3
    try:
        import pytest

        code = int(pytest.main(arguments))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _code(child: int, until: float) -> int | None:
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(_BETWEEN_LOOKS_S)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def main() -> None:
    """A list of pytest's arguments a line in, [exit code, output] a line out."""
    patience = float(sys.argv[1])
    for name in LIBRARIES:
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(_forked(json.loads(line), patience)), flush=True)


if __name__ == "__main__":
    main()
