"""The inbox: a folder; what lies in it lands, and then lies in ``feito`` or ``recusado``.

Belongs here: what in it is ready, where a file goes afterwards. Not here: where it is
(loaders/inbox.py), who looks (sensors.py), what landing is (batch.py).
"""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dagster_pipeline.batch import Landing, Outcome
from loaders.bdgd import files as bdgd_files
from loaders.errors import DatabaseFailure, InvalidInput
from loaders.inbox import AICSS, BESIDE, DONE, REFUSED, folder

Seen = dict[str, list[int]]
"""Path in the inbox → size and newest time (ns), as a JSON cursor can hold them."""


def make() -> Path:
    """Make the inbox and its folders for readings and complements."""
    for name in (AICSS, BESIDE):
        (folder() / name).mkdir(parents=True, exist_ok=True)
    return folder()


def stamp(path: Path) -> list[int]:
    """Size and newest time of a file, or of a geodatabase folder's files."""
    files = [path] if path.is_file() else [item for item in path.iterdir() if item.is_file()]
    stats = [file.stat() for file in files]
    return [sum(s.st_size for s in stats), max((s.st_mtime_ns for s in stats), default=0)]


def present(inbox: Path, passed_over: dict[str, str]) -> Seen:
    """The files in the inbox that can land; why the others cannot goes to ``passed_over``."""

    def note(path: Path, reason: str) -> None:
        passed_over[path.relative_to(inbox).as_posix()] = reason

    found: Seen = {}
    if inbox.is_dir():
        # Nothing to land in it, or gone while we looked.
        with suppress(InvalidInput, FileNotFoundError):
            for path in bdgd_files.find(inbox, passed_over=note, apart=(DONE, REFUSED, AICSS)):
                found[path.relative_to(inbox).as_posix()] = stamp(path)
    return found


def ready(found: Seen, last: Seen) -> list[str]:
    """What is not empty and did not change since the last look: a copy that goes on waits."""
    return [name for name, seen in found.items() if seen[0] and last.get(name) == seen]


def turn(found: Seen, names: list[str]) -> tuple[list[str], bool]:
    """What of the ready files goes now, and whether it lands beside what is there.

    Complements wait until nothing else is left: one may arrive before its geodatabase.
    """
    beside = [name for name in names if _is_beside(name)]
    others = [name for name in names if not _is_beside(name)]
    if others:
        return others, False
    if any(seen[0] and not _is_beside(name) for name, seen in found.items()):
        return [], False
    return beside, bool(beside)


def _is_beside(name: str) -> bool:
    return name.startswith(f"{BESIDE}/")


def file_away(outcome: Outcome) -> None:
    """Move what came from the inbox, and note in ``outcome`` where it lies now.

    What is not published as it came is refused, beside a text that says why. What met a database
    that did not answer stays: the next look takes it again.
    """
    outcome.landings[:] = [_filed(landing, outcome) for landing in outcome.landings]


def _filed(landing: Landing, outcome: Outcome) -> Landing:
    inbox, path = folder().resolve(), landing.path.resolve()
    if not path.is_relative_to(inbox) or landing.code == DatabaseFailure.code:
        return landing
    why = [landing.error] if landing.error else outcome.reasons(landing.safras)
    target = _free(inbox / (REFUSED if why else DONE) / path.relative_to(inbox))
    target.parent.mkdir(parents=True, exist_ok=True)
    path.rename(target)
    if why:
        target.with_name(f"{target.name}.txt").write_text("\n".join(why) + "\n", encoding="utf-8")
    return replace(landing, path=target)


def _free(target: Path) -> Path:
    """A name that nothing has: a file may come twice."""
    if not target.exists():
        return target
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    return target.with_name(f"{now}_{target.name}")
