"""Zip files from outside: checked before a byte is written, extracted where nothing else lies.

Belongs here: member checks, extraction, temporary folders. Not here: what the members mean.
"""

import fcntl
import os
import shutil
import stat
import struct
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from loaders.errors import InvalidInput

_CORRUPT = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OverflowError,
    UnicodeDecodeError,
)
"""What zipfile raises on damaged bytes, depending on where the damage is."""

_PREFIX = "intel-lead-bdgd-"
_GREATEST_RATIO = 100
"""Uncompressed ÷ compressed; real geodatabases measure 3 to 8, deflate's limit is 1,032."""
_RATIO_SLACK = 64 * 2**20
_LEAST_AGE_S = 60


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip whose members stay inside it and do not explode.

    Raises:
        InvalidInput: truncated, encrypted, corrupted, escaping or exploding.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check(path, archive.infolist())
            yield archive
    except _CORRUPT as error:
        raise InvalidInput(
            f"{path.name}: zip truncado ou corrompido ({error}); baixe o arquivo de novo"
        ) from error
    except NotImplementedError as error:
        raise InvalidInput(
            f"{path.name}: o zip usa uma compressão que esta carga não lê ({error});"
            " extraia-o e carregue a pasta"
        ) from error


def _check(path: Path, members: Iterable[zipfile.ZipInfo]) -> None:
    total, seen = 0, set()
    for member in members:
        if not member.filename:
            raise zipfile.BadZipFile("member without a name")
        parts = clean_name(member)
        if parts in seen and not member.is_dir():
            raise InvalidInput(
                f"{path.name}: o zip tem dois arquivos de nome {parts.name}; compacte de novo"
            )
        seen.add(parts)
        if parts.is_absolute() or ".." in parts.parts or ":" in member.filename[:2]:
            raise InvalidInput(f"{path.name}: o zip escreve fora da sua pasta; não o carregue")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InvalidInput(f"{path.name}: o zip contém um atalho simbólico; recuse-o")
        if member.flag_bits & 1:
            raise InvalidInput(f"{path.name}: zip com senha; extraia-o e carregue a pasta")
        total += member.file_size
    if total > max(_RATIO_SLACK, _GREATEST_RATIO * path.stat().st_size):
        raise InvalidInput(
            f"{path.name}: o zip cresce {total / path.stat().st_size:,.0f} vezes ao abrir"
            f" (limite {_GREATEST_RATIO}); confira a origem"
        )


def clean_name(member: zipfile.ZipInfo) -> PurePosixPath:
    """A member's path, whichever slash the archive's maker wrote."""
    return PurePosixPath(member.filename.replace("\\", "/"))


@contextmanager
def extract(archive: zipfile.ZipFile, folder: PurePosixPath, name: str) -> Iterator[Path]:
    """Extract one folder's files, flat, to a temporary folder called ``name``.

    zipfile compares every member with its CRC-32 while it writes.
    """
    with temporary_folder() as temporary:
        target = temporary / name
        target.mkdir()
        members = [
            m
            for m in archive.infolist()
            if clean_name(m).parent == folder and not m.filename.endswith(("/", "\\"))
        ]
        needed, free = sum(m.file_size for m in members), shutil.disk_usage(temporary).free
        if needed > free:
            raise InvalidInput(
                f"{Path(archive.filename or '').name}: precisa de {needed >> 20} MiB livres em"
                f" {temporary.parent}, há {free >> 20}; libere espaço ou mude TMPDIR"
            )
        for member in members:
            member_name = clean_name(member).name
            if member_name.isupper():  # as archivers of DOS write; GDAL looks for lower case
                member_name = member_name.lower()
            with (
                archive.open(member) as origin,
                (target / member_name).open("wb") as copied,
            ):
                shutil.copyfileobj(origin, copied, 2**20)
        yield target


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that goes with this process; folders that dead processes left go now.

    The owner holds a flock on the folder, which the kernel drops when the owner dies.
    """
    clean_abandoned()
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        holding = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(holding, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(holding)


def clean_abandoned() -> None:
    """Remove temporary folders whose owner is dead."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            holding = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            fcntl.flock(holding, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - os.fstat(holding).st_mtime > _LEAST_AGE_S:
                shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(holding)
