"""The dbt project as files: whether it changed, and a manifest of it as it stands.

Belongs here: fingerprint, manifest, the folders that dbt writes to, what its callers must agree on.
Not here: what is made of the manifest (defs/dbt.py). Standard library only: run.py asks
before it imports Dagster or dbt.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from threading import Thread

from loaders import environment

CLONE = Path(environment.CLONE)
PROJECT = CLONE / "dbt_project"
DBT = Path(sys.executable).with_name("dbt")
ALONE = CLONE / "dagster_pipeline" / "dbt_alone"
"""dbt, after the end of one that a killed process left behind; takes `alone`'s variables."""
SOURCES = ("dbt_project/models", "dbt_project/tests", "macros", "seeds")
SINGLE_FILES = ("dbt_project/dbt_project.yml", "profiles.yml")

KINDS_OF_A_SAFRA = ("safra", "publicacao")
"""Materializations of what has a partition per safra."""
OF_A_SAFRA = " ".join(f"config.materialized:{kind}" for kind in KINDS_OF_A_SAFRA)
"""Selects the models that are built by safra and the publication that ends them."""


class DbtParseError(Exception):
    """The dbt project cannot be parsed; the message is dbt's."""


def target() -> Path:
    """Where Dagster's dbt writes, outside the project's own target; DBT_TARGET_PATH goes first."""
    return Path(os.environ.get("DBT_TARGET_PATH") or CLONE / ".local" / "dbt")


def alone() -> dict[str, str]:
    """The variables of ``ALONE``: which dbt, and the lock that it holds while it lives."""
    target().mkdir(parents=True, exist_ok=True)
    return {"INTEL_DBT": str(DBT), "INTEL_DBT_LOCK": str(target() / "build.lock")}


def parsed() -> Path:
    """Folder of the parsed manifest."""
    return target() / "parsed"


def _files() -> Iterator[Path]:
    for folder in SOURCES:
        yield from (path for path in (CLONE / folder).rglob("*") if path.is_file())
    yield from (CLONE / name for name in SINGLE_FILES)


def fingerprint() -> str:
    """What the dbt project's files are, by name, size and time: 5 ms, no file is read."""
    found = hashlib.sha256(metadata.version("dbt-core").encode())
    for path in sorted(_files()):
        stat = path.stat()
        found.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return found.hexdigest()


def built_as(landed: str) -> str:
    """What a build makes of the warehouse, and where: the dbt project, the database, open data.

    Args:
        landed: which open data are there (`ledger.open_data`); safras have a record of their own.
    """
    place = ":".join(os.environ.get(name, "") for name in ("PGHOST", "PGPORT", "PGDATABASE"))
    return f"{fingerprint()} {place} {landed}"


def note_built(source: str) -> None:
    """Keep `built_as` of a build that went through, for `is_current`."""
    target().mkdir(parents=True, exist_ok=True)
    (target() / "built").write_text(source)


def is_current(landed: str) -> bool:
    """Whether neither the dbt project nor open data changed since the last good build of it all."""
    note = target() / "built"
    return note.exists() and note.read_text() == built_as(landed)


def prepare() -> Path:
    """Return the manifest of the project as it stands; parses (7 s) only when a file changed.

    Raises:
        DbtParseError: dbt refuses the project.
    """
    folder = parsed()
    folder.mkdir(parents=True, exist_ok=True)
    manifest, stamp = folder / "manifest.json", folder / "fingerprint"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `dagster dev` loads the code in several processes
        current = fingerprint()
        if manifest.exists() and stamp.exists() and stamp.read_text() == current:
            return manifest
        stamp.unlink(missing_ok=True)
        _parse(folder)
        stamp.write_text(current)
    return manifest


def prepare_ahead() -> None:
    """Begin to `prepare` beside what the caller does next; what dbt refuses, the next call says."""

    def parse() -> None:
        with suppress(DbtParseError):
            prepare()

    Thread(target=parse, daemon=True).start()


def _parse(folder: Path) -> None:
    done = subprocess.run(
        [DBT, "parse", "--target-path", folder, "--log-path", folder, "--no-use-colors"],
        cwd=PROJECT,
        env=os.environ | {"DBT_PROFILES_DIR": str(CLONE), "DBT_PROJECT_DIR": str(PROJECT)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise DbtParseError(f"dbt parse failed in {PROJECT}:\n{done.stdout}{done.stderr}")
