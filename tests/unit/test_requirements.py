"""The locks: whole, hashed, free of any machine's addresses. Not here: what they install."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CLONE = Path(__file__).resolve().parents[2]
LOCK = (CLONE / "requirements.lock").read_text()
LOCKS = ["requirements.lock", "bi/requirements.lock"]


@pytest.mark.parametrize("name", LOCKS)
def test_no_host_stands_in_the_lock(name: str) -> None:
    lock = (CLONE / name).read_text()
    assert not re.findall(r".*(?:://|index-url|find-links|\.(?:org|com|net|io)\b).*", lock)


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash(name: str) -> None:
    pins = re.findall(r"^[a-z0-9].*\n.*", (CLONE / name).read_text(), re.MULTILINE)
    assert pins
    assert [pin for pin in pins if "--hash=sha256:" not in pin] == []


def test_everything_that_pyproject_names_is_in_the_lock() -> None:
    project = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]
    named = project["dependencies"] + project["optional-dependencies"]["dev"]
    locked = set(re.findall(r"^([a-z0-9.-]+)(?:\[.*\])?==", LOCK, re.MULTILINE))
    assert {re.match(r"[a-z0-9.-]+", name).group() for name in named} - locked == set()


def test_everything_that_superset_needs_is_in_its_lock() -> None:
    lines = (CLONE / "bi" / "requirements.in").read_text().splitlines()
    named = {Requirement(line).name for line in lines if line and not line.startswith("#")}
    lock = (CLONE / "bi" / "requirements.lock").read_text()
    assert named - set(re.findall(r"^([a-z0-9.-]+)==", lock, re.MULTILINE)) == set()


def test_pip_finds_every_extra_pinned() -> None:
    """With hashes, pip refuses ``gql[requests]`` where the lock pins ``gql``; uv does not."""
    pins = re.findall(r"^([a-z0-9.-]+(?:\[[a-z0-9,_-]+\])?)==", LOCK, re.MULTILINE)
    locked = {pin.name: pin.extras for pin in map(Requirement, pins)}
    missing = set()
    for name, extras in locked.items():
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # another system's package
            continue
        for need in map(Requirement, needs):
            asked = any(
                need.marker is None or need.marker.evaluate({"extra": extra})
                for extra in {"", *extras}
            )
            pinned = locked.get(need.name.lower().replace("_", "-"), set())
            if asked and not need.extras <= pinned:
                missing.add(f"{need.name}[{','.join(sorted(need.extras - pinned))}], by {name}")
    assert missing == set()
