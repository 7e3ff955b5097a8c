"""What a file is, whatever its name says: the CSV within a zip, a gzip, an answer in JSON.

Belongs here: unwrapping to one CSV on disk, telling a web page from data. Not here: the answers'
shapes (reshaping.py), columns (reading.py).
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

from loaders.bdgd import zip_archive
from loaders.errors import InvalidInput
from loaders.open_data import line_breaks, reshaping, stations
from loaders.open_data.dataset import Dataset

_DATA = {".csv", ".txt", ".json", ".tsv"}
_GZIP = b"\x1f\x8b"
_ZIP = b"PK"
_HEAD = 4096


@contextmanager
def as_csv(path: Path, dataset: Dataset) -> Iterator[Path]:
    """The content as one CSV on disk, gone with the context unless it is ``path`` itself.

    Raises:
        InvalidInput: a web page, a damaged or cut archive, an answer that is not whole.
    """
    try:
        with ExitStack() as stack:
            inner, head = path, _head(path)
            if head.startswith(_ZIP):
                archive = stack.enter_context(zip_archive.opened(path))
                if dataset.shape == "estacoes":
                    folder = stack.enter_context(zip_archive.temporary_folder())
                    yield stations.from_zip(archive, folder / "estacoes.csv", path.name)
                    return
                inner = stack.enter_context(_member(archive, path.name))
                head = _head(inner)
            folder = stack.enter_context(zip_archive.temporary_folder())
            if head.startswith(_GZIP):
                inner = _gunzip(inner, folder / "dentro.csv", dataset.most_bytes, path.name)
                head = _head(inner)
            yield _plain(inner, head, folder, dataset, path.name)
    except OSError as error:
        raise InvalidInput(f"{path.name}: não pode ser lido ({error.strerror})") from None


def _plain(file: Path, head: bytes, folder: Path, dataset: Dataset, name: str) -> Path:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"PAR1"):
        raise InvalidInput(f"{name}: é um arquivo Parquet; baixe o CSV do mesmo conjunto")
    if not start:
        raise InvalidInput(f"{name}: o arquivo está vazio; baixe de novo")
    if start.startswith(b"<"):
        raise InvalidInput(
            f"{name}: é uma página da internet (HTML), não os dados; o portal recusou ou mudou:"
            f" baixe o arquivo por {dataset.page}"
        )
    if start[:1] in (b"{", b"["):
        return reshaping.answer(file, folder / "resposta.csv", dataset, name)
    if dataset.shape == "estacoes":
        return stations.from_file(file, folder / "estacoes.csv", name)
    return line_breaks.joined(file, folder / "inteiro.csv", name)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


@contextmanager
def _member(archive: ZipFile, name: str) -> Iterator[Path]:
    """The only file of data in a zip, extracted with its CRC-32 checked."""
    names = [zip_archive.clean_name(member) for member in archive.infolist()]
    found = [n for n in names if n.suffix.lower() in _DATA and not n.name.startswith(".")]
    if PurePosixPath("xl/workbook.xml") in names:
        raise InvalidInput(f"{name}: é uma planilha do Excel; salve-a como CSV e repita")
    if len(found) != 1:
        raise InvalidInput(
            f"{name}: o zip deve ter um CSV, tem {len(found)}; extraia-o e carregue o arquivo"
        )
    with zip_archive.extract(archive, found[0].parent, "dentro") as folder:
        yield next(f for f in folder.iterdir() if f.name.lower() == found[0].name.lower())


def _gunzip(origin: Path, target: Path, most: int, name: str) -> Path:
    written = 0
    try:
        with gzip.open(origin) as packed, target.open("wb") as out:
            while block := packed.read(2**20):
                written += len(block)
                if written > most:
                    raise InvalidInput(
                        f"{name}: passa de {most >> 30} GiB ao abrir; confira a origem"
                    )
                out.write(block)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidInput(
            f"{name}: gzip truncado ou corrompido ({error}); baixe o arquivo de novo"
        ) from None
    return target
