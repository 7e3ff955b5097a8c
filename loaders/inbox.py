"""The inbox: the folder whose files land by themselves, and what its own folders are called.

Belongs here: where it is. Not here: who looks into it, where files go (dagster_pipeline/defs).
"""

from os import environ
from pathlib import Path

from loaders.environment import CLONE

DONE, REFUSED, AICSS = "feito", "recusado", "aicss"
BESIDE = "complemento"
"""Its CSVs land beside the geodatabase of their safra."""


def folder() -> Path:
    """INTEL_INBOX, else .local/inbox."""
    return Path(environ.get("INTEL_INBOX") or Path(CLONE) / ".local" / "inbox")


def refused(name: str) -> Path | None:
    """Where a refused file of this name lies, if it came by the inbox and is there yet."""
    return next((x for x in (folder() / REFUSED).rglob("*") if x.name == name), None)
