"""Which files a path stands for, and their content hash.

Belongs here: names and bytes, standard library only: a rerun with nothing new imports no more.
Not here: what a file is (kinds.py), reading what is inside (geodatabase.py, csv_pj.py).
"""

import hashlib
import logging
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from loaders.bdgd.kinds import NotABdgd, identify, is_geodatabase, is_system_file
from loaders.errors import InvalidInput

_NAMES_IN_MESSAGE = 10

log = logging.getLogger(__name__)


def _warn(path: Path, reason: str) -> None:
    log.warning("passado por alto: %s", reason)


def find(
    path: Path,
    *,
    passed_over: Callable[[Path, str], None] = _warn,
    apart: Collection[str] = (),
) -> list[Path]:
    """The geodatabases and CSVs that a path stands for: itself, or those in and below a folder.

    Every file of a folder is one of them or told to ``passed_over`` with the reason; a delivery
    that cannot be read is one of them, and fails when its turn comes.

    Args:
        path: a file or a folder.
        passed_over: takes a file and the reason why it is none to land.
        apart: names in the folder that are not looked at.

    Raises:
        InvalidInput: a folder without rights, or with nothing to land in it.
    """
    try:
        if not path.is_dir() or is_geodatabase(path):
            return [path]
        items = list(_walk(path, apart))
    except PermissionError as error:
        raise InvalidInput(
            f"{error.filename or path}: pasta sem direito de leitura; rode chmod"
        ) from error
    found, reasons = [], []
    for item, reason in items:
        if reason is None:
            found.append(item)
        else:
            place = item.parent.relative_to(path).as_posix()
            text = reason if place == "." else f"{place}/{reason}"
            reasons.append(text)
            passed_over(item, text)
    if not found:
        rest = len(reasons) - _NAMES_IN_MESSAGE
        what = "; ".join(reasons[:_NAMES_IN_MESSAGE]) + (f"; e mais {rest}" if rest > 0 else "")
        raise InvalidInput(
            f"{path}: nada a carregar nesta pasta ({what or 'está vazia'});"
            " ponha nela um .gdb, um .gdb.zip ou um CSV _pj"
        )
    return found


def _walk(folder: Path, apart: Collection[str] = ()) -> Iterator[tuple[Path, str | None]]:
    """Every file below a folder, a geodatabase counting as one, with the reason against it."""
    for item in sorted(item for item in folder.iterdir() if item.name not in apart):
        if not item.is_dir() or is_geodatabase(item):
            yield item, _reason_against(item)
        elif item.is_symlink():
            yield item, f"{item.name}: atalho para outra pasta; informe a própria pasta"
        elif item.name.startswith(".") or is_system_file(Path(item.name)):
            yield item, f"{item.name}: pasta oculta ou do sistema operacional"
        else:
            yield from _walk(item)


def _reason_against(item: Path) -> str | None:
    try:
        identify(item)
    except NotABdgd as error:
        return str(error)
    except (InvalidInput, OSError):
        return None
    return None


def sha256_of(path: Path) -> str:
    """Content hash of a file, or of a geodatabase folder's sorted names and bytes.

    Raises:
        InvalidInput: a file without rights, or nothing in it.
    """
    total, size = hashlib.sha256(), 0
    try:
        for file, name in _parts(path):
            total.update(name)
            with file.open("rb") as opened:
                while block := opened.read(2**20):
                    total.update(block)
                    size += len(block)
    except PermissionError as error:
        raise InvalidInput(f"{path.name}: sem direito de leitura; rode chmod") from error
    if not size:
        raise InvalidInput(f"{path.name}: arquivo vazio; baixe o arquivo de novo")
    return total.hexdigest()


def _parts(path: Path) -> Iterator[tuple[Path, bytes]]:
    """Files to hash; Esri's locks and what macOS adds come and go without changing the content."""
    if path.is_file():
        yield path, b""
        return
    for file in sorted(path.iterdir()):
        if file.is_file() and file.suffix != ".lock" and not is_system_file(Path(file.name)):
            yield file, f"{file.name}\0{file.stat().st_size}\0".encode()
