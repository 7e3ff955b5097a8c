"""Which files a path stands for, and their content hash.

Belongs here: names and bytes, standard library only: a rerun with nothing new imports no more.
Not here: what a file is (kinds.py), reading what is inside (geodatabase.py, csv_pj.py).
"""

import hashlib
import logging
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from loaders.erros import EntradaInvalida
from loaders.kinds import NotABdgd, identify, is_geodatabase, is_system_file

_NOMES_NA_MENSAGEM = 10

log = logging.getLogger(__name__)


def _avisar(caminho: Path, motivo: str) -> None:
    log.warning("passado por alto: %s", motivo)


def achar(
    caminho: Path,
    *,
    passed_over: Callable[[Path, str], None] = _avisar,
    apart: Collection[str] = (),
) -> list[Path]:
    """The geodatabases and CSVs that a path stands for: itself, or those in and below a folder.

    Every file of a folder is one of them or told to ``passed_over`` with the reason; a delivery
    that cannot be read is one of them, and fails when its turn comes.

    Args:
        caminho: a file or a folder.
        passed_over: takes a file and the reason why it is none to land.
        apart: names in the folder that are not looked at.

    Raises:
        EntradaInvalida: a folder without rights, or with nothing to land in it.
    """
    try:
        if not caminho.is_dir() or is_geodatabase(caminho):
            return [caminho]
        items = list(_walk(caminho, apart))
    except PermissionError as erro:
        raise EntradaInvalida(
            f"{erro.filename or caminho}: pasta sem direito de leitura; rode chmod"
        ) from erro
    found, reasons = [], []
    for item, reason in items:
        if reason is None:
            found.append(item)
        else:
            place = item.parent.relative_to(caminho).as_posix()
            text = reason if place == "." else f"{place}/{reason}"
            reasons.append(text)
            passed_over(item, text)
    if not found:
        rest = len(reasons) - _NOMES_NA_MENSAGEM
        what = "; ".join(reasons[:_NOMES_NA_MENSAGEM]) + (f"; e mais {rest}" if rest > 0 else "")
        raise EntradaInvalida(
            f"{caminho}: nada a carregar nesta pasta ({what or 'está vazia'});"
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
    except NotABdgd as erro:
        return str(erro)
    except (EntradaInvalida, OSError):
        return None
    return None


def somar_sha256(caminho: Path) -> str:
    """Content hash of a file, or of a geodatabase folder's sorted names and bytes.

    Raises:
        EntradaInvalida: a file without rights, or nothing in it.
    """
    soma, tamanho = hashlib.sha256(), 0
    try:
        for arquivo, nome in _partes(caminho):
            soma.update(nome)
            with arquivo.open("rb") as aberto:
                while bloco := aberto.read(2**20):
                    soma.update(bloco)
                    tamanho += len(bloco)
    except PermissionError as erro:
        raise EntradaInvalida(f"{caminho.name}: sem direito de leitura; rode chmod") from erro
    if not tamanho:
        raise EntradaInvalida(f"{caminho.name}: arquivo vazio; baixe o arquivo de novo")
    return soma.hexdigest()


def _partes(caminho: Path) -> Iterator[tuple[Path, bytes]]:
    """Files to hash; Esri's locks and what macOS adds come and go without changing the content."""
    if caminho.is_file():
        yield caminho, b""
        return
    for arquivo in sorted(caminho.iterdir()):
        if (
            arquivo.is_file()
            and arquivo.suffix != ".lock"
            and not is_system_file(Path(arquivo.name))
        ):
            yield arquivo, f"{arquivo.name}\0{arquivo.stat().st_size}\0".encode()
