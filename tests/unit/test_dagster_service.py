"""Dagster's parts as services: one daemon a clone, and a page that others find.

Not here: that page and daemon work (they are Dagster's own programs).
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dagster_pipeline import page, service

STAYS = """
import os, sys
from dagster_pipeline import service

def become(*_):
    print("runs", flush=True)
    os.execvp("cat", ["cat"])

service._become = become
service.daemon()
"""
"""The daemon, but for the program that it becomes: that ends with its input."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def running(home: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", STAYS]
    env = {**os.environ, "DAGSTER_HOME": str(home)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=env, text=True, **pipes) as process:
        assert process.stdout.readline() == "runs\n"
        yield process
        process.stdin.close()


def is_free(home: Path) -> bool:
    """Whether `make dev` would start here."""
    with (home / "dev.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_while_the_daemon_lives_no_other_starts_and_then_one_does(
    running: subprocess.Popen[str], home: Path
) -> None:
    assert not is_free(home)
    second = CliRunner().invoke(service.app, ["daemon"])
    assert (second.exit_code, "já roda" in second.output) == (1, True)
    running.kill()
    running.wait()
    assert is_free(home)


def test_the_page_leaves_its_address_and_becomes_dagsters_own(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    became = []
    monkeypatch.setattr(os, "execv", lambda path, words: became.append((path, words)))
    monkeypatch.chdir(home)
    monkeypatch.setenv("PYTHONWARNINGS", "")
    done = CliRunner().invoke(service.app, ["page", "--port", "3999"])
    assert done.exit_code == 0, done.output
    assert json.loads(page.mark().read_text())["port"] == 3999
    ((path, words),) = became
    assert Path(path).is_file()
    assert words[1:] == ["-h", "127.0.0.1", "-p", "3999", "-w", str(page.WORKSPACE)]
