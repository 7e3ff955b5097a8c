"""The folder of exports: each is written beside the others and then becomes ``atual``.

Belongs here: whole or not at all, who may write, what is deleted. Not here: what is in an export.
"""

import fcntl
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loaders.errors import InvalidInput
from server.dump import sync

CURRENT = "atual"
MANIFEST = "datapackage.json"
_OURS = re.compile(r"(?:\.unfinished-)?exportacao-\d{8}T\d{12}Z")


@contextmanager
def written(dest: Path, *, private: bool) -> Iterator[Path]:
    """A new folder of ``dest``; at the end it is ``dest/atual``, on the disk, or it is gone.

    ``atual`` is a link, so that readers have the one before or this one. The one before stays until
    the next export begins: who was in the middle of it reads to the end.

    Raises:
        InvalidInput: dest cannot be written, or another export is writing to it.
    """
    link = dest / CURRENT
    try:
        dest.mkdir(parents=True, exist_ok=True)
        if link.exists() and not link.is_symlink():
            raise InvalidInput(f"{link} não é de uma exportação: outra pasta, DEST=…")
        with (dest / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _clear(dest)
            name = f"exportacao-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z"
            unfinished = dest / f".unfinished-{name}"
            unfinished.mkdir(mode=0o700)
            try:
                yield unfinished
                if not private:
                    unfinished.chmod(0o755)
                unfinished.rename(dest / name)
                beside = dest / f".{CURRENT}"
                beside.unlink(missing_ok=True)
                beside.symlink_to(name)
                sync(dest)
                beside.replace(link)
                sync(dest)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
    except BlockingIOError:
        raise InvalidInput(
            f"outra exportação está sendo escrita em {dest}: repita quando terminar"
        ) from None
    except OSError as error:
        where = error.filename or dest
        raise InvalidInput(
            f"a exportação não foi escrita ({where}: {error.strerror}); a de antes ficou como"
            " estava; outra pasta: DEST=…"
        ) from error


def _clear(dest: Path) -> None:
    """Delete what killed exports left, and those that are current no more."""
    link = dest / CURRENT
    current = link.readlink().name if link.is_symlink() else ""
    for folder in dest.iterdir():
        if _OURS.fullmatch(folder.name) and folder.name != current:
            shutil.rmtree(folder, ignore_errors=True)


def manifest_of(dest: Path) -> dict[str, Any]:
    """What the current export of a folder says of itself; nothing where there is none."""
    try:
        return json.loads((dest / CURRENT / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
