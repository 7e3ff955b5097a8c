"""Our own copies of what ANEEL publishes: whole, checked, read-only, with a manifest.

Belongs here: where a copy lies, fetching it there, what is no copy, the manifest (Frictionless data
package). Not here: requests (open_data/client.py), what is noted of it (bookkeeping.py), landing.
"""

import fcntl
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loaders import environment
from loaders.bdgd import kinds, zip_archive
from loaders.bdgd.files import sha256_of
from loaders.catalogue import hub
from loaders.catalogue.bookkeeping import Known
from loaders.catalogue.item import LICENCE, LICENCE_URL
from loaders.catalogue.titles import bare
from loaders.errors import InvalidInput, SourceFailure
from loaders.open_data.client import Client, TooLarge

MANIFEST = "datapackage.json"
_MOST_BYTES = 64 * 2**30
_MORE = 2**20
"""Bytes that a file may have beyond what the catalogue says, until it is refused."""
_LONGEST_NAME = 180
_READ_ONLY = 0o444
_KEPT_FREE = 2**30
"""Bytes that a download leaves on the disk."""

Bar = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]

log = logging.getLogger(__name__)


def silent(_: str, __: int) -> AbstractContextManager[Callable[[int], None]]:
    """A progress bar that nobody sees."""
    return nullcontext(lambda _: None)


@dataclass(frozen=True)
class Copy:
    """A content in the archive.

    Attributes:
        path: of the content, by its hash.
        named: a link to it by the name that ANEEL gave it: what lands under this name is known by
            it in the ledger.
        seconds: that it took to come; 0: it was there.
    """

    path: Path
    named: Path
    sha256: str
    bytes: int
    seconds: float


def folder() -> Path:
    """Where copies are kept: INTEL_ARQUIVO, else data/arquivo."""
    default = str(Path(environment.CLONE) / "data" / "arquivo")
    return Path(environment.setting("INTEL_ARQUIVO", default))


def place(item: Known) -> Path:
    """The folder of an item's copies: distributor and year; of a CSV, its name."""
    if item.ano:
        return folder() / str(item.distribuidora_id) / str(item.ano)
    return folder() / (item.title if item.kind == "csv_pj" else f"item-{item.item_id}")


def kept(item: Known) -> Copy | None:
    """The copy that was noted of an item, where it is still there."""
    if not (item.path and item.sha256 and item.bytes):
        return None
    path = folder() / item.path
    if not path.is_file() or path.stat().st_size != item.bytes:
        return None
    link = _link(item, path)
    return Copy(path, link if link.exists() else path, item.sha256, item.bytes, 0)


def fetch(item: Known, client: Client, bar: Bar = silent) -> Copy:
    """Have an item's content in the archive; what had come of it is gone on with.

    Raises:
        SourceFailure: it did not come whole, or what came is not what the catalogue says.
        InvalidInput: the disk has no room, or refuses to be written.
    """
    target = place(item)
    begun = target / f".buscando-{re.sub('[^0-9A-Za-z]', '-', item.item_id)[:80]}"
    start = time.monotonic()
    try:
        target.mkdir(parents=True, exist_ok=True)
        _room_for(item, target, begun)
        with _alone(target):
            with bar(item.title, item.size or 0) as advance:
                client.download(
                    item.url,
                    begun,
                    most_bytes=item.size + _MORE if item.size else _MOST_BYTES,
                    keeps_tag=True,
                    refused=_refused(item),
                    progress=_minding_the_disk(target, begun, advance),
                )
            _check(item, begun)
            sha256, size = sha256_of(begun), begun.stat().st_size
            path = target / f"{sha256}{_suffix(item, begun)}"
            begun.chmod(_READ_ONLY)
            begun.replace(path)
            copy = Copy(path, _named(item, path), sha256, size, time.monotonic() - start)
            _write_manifest(target, item, copy)
    except TooLarge:
        most = begun.stat().st_size
        begun.unlink()
        begun.with_name(f"{begun.name}.tag").unlink(missing_ok=True)
        raise SourceFailure(
            f"{item.title}: vieram mais de {most} bytes, o catálogo diz {item.size or 'nada'};"
            f" nada foi guardado. {hub.REMEDY}"
        ) from None
    except OSError as error:
        raise InvalidInput(
            f"{target}: não se pode gravar ({error.strerror}); outra pasta: INTEL_ARQUIVO"
        ) from error
    log.info("%s: no arquivo, %.1f MB, %s", item.title, size / 2**20, path)
    return copy


def _minding_the_disk(
    target: Path, begun: Path, advance: Callable[[int], None]
) -> Callable[[int], None]:
    """Tells of what came, and stops before the disk is full: the database's may be on it."""

    def minding(step: int) -> None:
        advance(step)
        if shutil.disk_usage(target).free < _KEPT_FREE:
            begun.unlink(missing_ok=True)
            begun.with_name(f"{begun.name}.tag").unlink(missing_ok=True)
            raise InvalidInput(
                f"{target}: restam menos de {_KEPT_FREE / 2**30:.0f} GB livres; nada foi guardado."
                " Libere espaço, ou outra pasta: INTEL_ARQUIVO"
            )

    return minding


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Of two processes that fetch into one folder the second waits; a lock dies with its owner."""
    holding = os.open(target, os.O_RDONLY)
    try:
        fcntl.flock(holding, fcntl.LOCK_EX)
        yield
    finally:
        os.close(holding)


def _refused(item: Known) -> Callable[[bytes], str]:
    """What a portal sends in a file's place, and calls well."""

    def judge(block: bytes) -> str:
        start = block.lstrip(b"\xef\xbb\xbf \r\n\t")
        if start[:1] == b"<":
            return "devolveu uma página HTML"
        if start[:1] != b"{":
            return ""
        with suppress(ValueError):
            if said := hub.said_error(json.loads(block), item.url):
                return said
        return "devolveu JSON em lugar do arquivo"

    return judge


def _check(item: Known, begun: Path) -> None:
    """The size that the catalogue says, and a content of its kind; else it is thrown away.

    Raises:
        SourceFailure: it is not what the catalogue says.
    """
    size = begun.stat().st_size
    wrong = ""
    if item.size and size != item.size:
        wrong = f"vieram {size} bytes, o catálogo diz {item.size}"
    else:
        try:
            found = kinds.identify(begun)
            if (found.layer is None) != (item.kind == "geodatabase"):
                wrong = "não é o que o catálogo diz"
            elif found.member and (bad := _damaged(begun)):
                wrong = f"o zip está danificado em {bad}"
        except InvalidInput as error:
            wrong = str(error).removeprefix(f"{begun.name}: ")
    if wrong:
        begun.unlink()
        raise SourceFailure(f"{item.title}: {wrong}; nada foi guardado. {hub.REMEDY}")


def _damaged(path: Path) -> str | None:
    """The first member of a zip whose bytes are not those of its CRC-32."""
    with zip_archive.opened(path) as archive:
        return archive.testzip()


def _suffix(item: Known, path: Path) -> str:
    with path.open("rb") as file:
        zipped = file.read(2) == b"PK"
    if item.kind == "geodatabase":
        return ".gdb.zip"
    return ".csv.zip" if zipped else ".csv"


def _link(item: Known, path: Path) -> Path:
    """Where the link to a copy is, by ANEEL's name."""
    suffix = path.name.removeprefix(path.name.split(".")[0])
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in bare(item.title))
    return path.with_name(f"{name[:_LONGEST_NAME]}{suffix}")


def _named(item: Known, path: Path) -> Path:
    """Make the link; to the newest copy of that name."""
    link = _link(item, path)
    if not link.is_symlink() or link.readlink() != Path(path.name):
        new = link.with_name(f".{link.name}.novo")
        new.unlink(missing_ok=True)
        new.symlink_to(path.name)
        new.replace(link)
    return link


def _room_for(item: Known, target: Path, begun: Path) -> None:
    needed = (item.size or 0) - (begun.stat().st_size if begun.exists() else 0)
    free = shutil.disk_usage(target).free
    if needed + _KEPT_FREE > free:
        raise InvalidInput(
            f"{item.title}: faltam {needed / 2**30:.1f} GB para buscar e há {free / 2**30:.1f} GB"
            f" livres em {target}; libere espaço, ou outra pasta: INTEL_ARQUIVO"
        )


def _write_manifest(target: Path, item: Known, copy: Copy) -> None:
    """The folder's data package, with this copy in it; written whole, or as it was."""
    path = target / MANIFEST
    package = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    others = [r for r in package.get("resources", ()) if r["path"] != copy.path.name]
    licence = {"name": LICENCE, "path": LICENCE_URL, "title": "Open Database License 1.0"}
    resource = {
        "name": copy.sha256,
        "path": copy.path.name,
        "title": item.title,
        "format": copy.path.name.partition(".")[2],
        "bytes": copy.bytes,
        "hash": f"sha256:{copy.sha256}",
        "fetched_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "item_id": item.item_id,
        "modified": item.modified_at.isoformat() if item.modified_at else None,
        "sources": [{"title": "ANEEL, BDGD", "path": item.url}],
        "licenses": [licence],
    }
    whole = {
        "profile": "data-package",
        "name": "bdgd-" + "-".join(target.relative_to(folder()).parts).lower(),
        "title": f"BDGD {item.key}, como a ANEEL a publica",
        "licenses": [licence],
        "resources": [*others, resource],
    }
    new = target / f".{MANIFEST}.novo"
    new.write_text(json.dumps(whole, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    new.replace(path)
