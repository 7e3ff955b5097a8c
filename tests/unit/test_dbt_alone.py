"""The dbt that Dagster starts waits for the end of one that a killed worker left behind."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_pipeline import dbt_command
from dagster_pipeline.manifest import ALONE

LOCKS = Path("/proc/locks")
DBT = """#!/bin/sh
echo "begin $1" >> "$OUT"
read line
echo "end $1" >> "$OUT"
"""


def until(condition: Callable[[], bool]) -> None:
    """Ask again and again until it holds."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it never came"
        os.sched_yield()


def waits(process: subprocess.Popen[str]) -> bool:
    """Whether the kernel has a process queued for a lock that another holds."""
    queued = (line.split() for line in LOCKS.read_text().splitlines() if "->" in line)
    return any(str(process.pid) in fields for fields in queued)


@pytest.mark.skipif(not LOCKS.exists(), reason="who waits for a lock is asked of Linux's /proc")
def test_a_dbt_waits_for_the_one_before_even_if_that_is_killed(tmp_path: Path) -> None:
    out, fake = tmp_path / "out", tmp_path / "dbt"
    fake.write_text(DBT)
    fake.chmod(0o755)
    out.touch()
    env = os.environ | {"INTEL_DBT": str(fake), "INTEL_DBT_LOCK": str(tmp_path / "lock")}
    env["OUT"] = str(out)

    def start(name: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(ALONE), name]
        return subprocess.Popen(command, env=env, stdin=subprocess.PIPE, text=True)

    with start("one") as one:
        until(lambda: out.read_text() == "begin one\n")
        with start("two") as two:
            until(lambda: waits(two))
            assert out.read_text() == "begin one\n"
            one.kill()
            until(lambda: out.read_text() == "begin one\nbegin two\n")
            two.communicate("go on\n", timeout=20)
        assert two.returncode == 0
    assert out.read_text() == "begin one\nbegin two\nend two\n"


def test_a_build_starts_that_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started = []

    def start(command: list[str], **_: object) -> None:
        started.append(command)
        raise FileNotFoundError

    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    monkeypatch.setattr(dbt_command.manifest, "prepare", lambda: None)
    (tmp_path / "parsed").mkdir()
    (tmp_path / "parsed" / "partial_parse.msgpack").touch()
    monkeypatch.setattr(dbt_command.subprocess, "Popen", start)
    with pytest.raises(FileNotFoundError):
        dbt_command.build()
    assert started[0][0] == str(ALONE)
