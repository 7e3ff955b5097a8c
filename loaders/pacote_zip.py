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

from loaders.erros import EntradaInvalida

_CORROMPIDO = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OverflowError,
    UnicodeDecodeError,
)
"""What zipfile raises on damaged bytes, depending on where the damage is."""

_PREFIXO = "intel-lead-bdgd-"
_RAZAO_MAXIMA = 100
"""Uncompressed ÷ compressed; real geodatabases measure 3 to 8, deflate's limit is 1,032."""
_FOLGA_DE_RAZAO = 64 * 2**20
_IDADE_MINIMA_S = 60


@contextmanager
def abrir(caminho: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip whose members stay inside it and do not explode.

    Raises:
        EntradaInvalida: truncated, encrypted, corrupted, escaping or exploding.
    """
    try:
        with zipfile.ZipFile(caminho) as pacote:
            _conferir(caminho, pacote.infolist())
            yield pacote
    except _CORROMPIDO as erro:
        raise EntradaInvalida(
            f"{caminho.name}: zip truncado ou corrompido ({erro}); baixe o arquivo de novo"
        ) from erro
    except NotImplementedError as erro:
        raise EntradaInvalida(
            f"{caminho.name}: o zip usa uma compressão que esta carga não lê ({erro});"
            " extraia-o e carregue a pasta"
        ) from erro


def _conferir(caminho: Path, membros: Iterable[zipfile.ZipInfo]) -> None:
    total, vistos = 0, set()
    for membro in membros:
        if not membro.filename:
            raise zipfile.BadZipFile("member without a name")
        partes = clean_name(membro)
        if partes in vistos and not membro.is_dir():
            raise EntradaInvalida(
                f"{caminho.name}: o zip tem dois arquivos de nome {partes.name}; compacte de novo"
            )
        vistos.add(partes)
        if partes.is_absolute() or ".." in partes.parts or ":" in membro.filename[:2]:
            raise EntradaInvalida(
                f"{caminho.name}: o zip escreve fora da sua pasta; não o carregue"
            )
        if stat.S_ISLNK(membro.external_attr >> 16):
            raise EntradaInvalida(f"{caminho.name}: o zip contém um atalho simbólico; recuse-o")
        if membro.flag_bits & 1:
            raise EntradaInvalida(f"{caminho.name}: zip com senha; extraia-o e carregue a pasta")
        total += membro.file_size
    if total > max(_FOLGA_DE_RAZAO, _RAZAO_MAXIMA * caminho.stat().st_size):
        raise EntradaInvalida(
            f"{caminho.name}: o zip cresce {total / caminho.stat().st_size:,.0f} vezes ao abrir"
            f" (limite {_RAZAO_MAXIMA}); confira a origem"
        )


def clean_name(member: zipfile.ZipInfo) -> PurePosixPath:
    """A member's path, whichever slash the archive's maker wrote."""
    return PurePosixPath(member.filename.replace("\\", "/"))


@contextmanager
def extrair(pacote: zipfile.ZipFile, pasta: PurePosixPath, nome: str) -> Iterator[Path]:
    """Extract one folder's files, flat, to a temporary folder called ``nome``.

    zipfile compares every member with its CRC-32 while it writes.
    """
    with pasta_temporaria() as temporaria:
        destino = temporaria / nome
        destino.mkdir()
        membros = [
            m
            for m in pacote.infolist()
            if clean_name(m).parent == pasta and not m.filename.endswith(("/", "\\"))
        ]
        precisa, livre = sum(m.file_size for m in membros), shutil.disk_usage(temporaria).free
        if precisa > livre:
            raise EntradaInvalida(
                f"{Path(pacote.filename or '').name}: precisa de {precisa >> 20} MiB livres em"
                f" {temporaria.parent}, há {livre >> 20}; libere espaço ou mude TMPDIR"
            )
        for membro in membros:
            nome_do_membro = clean_name(membro).name
            if nome_do_membro.isupper():  # as archivers of DOS write; GDAL looks for lower case
                nome_do_membro = nome_do_membro.lower()
            with (
                pacote.open(membro) as origem,
                (destino / nome_do_membro).open("wb") as copia,
            ):
                shutil.copyfileobj(origem, copia, 2**20)
        yield destino


@contextmanager
def pasta_temporaria() -> Iterator[Path]:
    """A folder that goes with this process; folders that dead processes left go now.

    The owner holds a flock on the folder, which the kernel drops when the owner dies.
    """
    limpar_abandonadas()
    with tempfile.TemporaryDirectory(prefix=_PREFIXO) as nome:
        posse = os.open(nome, os.O_RDONLY)
        try:
            fcntl.flock(posse, fcntl.LOCK_EX)
            yield Path(nome)
        finally:
            os.close(posse)


def limpar_abandonadas() -> None:
    """Remove temporary folders whose owner is dead."""
    for pasta in Path(tempfile.gettempdir()).glob(f"{_PREFIXO}*"):
        try:
            posse = os.open(pasta, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            fcntl.flock(posse, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - os.fstat(posse).st_mtime > _IDADE_MINIMA_S:
                shutil.rmtree(pasta, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(posse)
