"""Which files a path stands for, what kind they are, and their content hash.

Belongs here: names and bytes, standard library only: a rerun with nothing new imports no more.
Not here: reading what is inside (geodatabase.py, csv_pj.py).
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from loaders import pacote_zip
from loaders.camadas import CAMADAS_UC, Camada
from loaders.erros import EntradaInvalida

CATALOGO = "a00000001.gdbtable"
"""The file that every file geodatabase has."""

_NOME_PJ = re.compile(r"(ucat|ucmt|ucbt)_pj\b.*\.(csv|zip)", re.IGNORECASE)


def e_geodatabase(pasta: Path) -> bool:
    """Whether a folder is a file geodatabase rather than a folder of them."""
    return pasta.suffix.lower() == ".gdb" or (pasta / CATALOGO).is_file()


def camada_pj(caminho: Path) -> Camada | None:
    """The layer of one of ANEEL's ``_pj`` CSVs, by its name or its member's, else None."""
    nomes = [caminho.name]
    if caminho.suffix.lower() == ".zip" and not _NOME_PJ.fullmatch(caminho.name):
        with suppress(EntradaInvalida), pacote_zip.abrir(caminho) as pacote:
            nomes += [PurePosixPath(nome).name for nome in pacote.namelist()]
    partes = next(filter(None, map(_NOME_PJ.fullmatch, nomes)), None)
    return next((c for c in CAMADAS_UC if partes and c.tabela == partes[1].lower()), None)


def achar(caminho: Path) -> list[Path]:
    """The geodatabases and CSVs that a path stands for: itself, or those in the folder.

    Raises:
        EntradaInvalida: a folder without rights, or with nothing to land in it.
    """
    try:
        if not caminho.is_dir() or e_geodatabase(caminho):
            return [caminho]
        achados = [item for item in sorted(caminho.iterdir()) if _carregavel(item)]
    except PermissionError as erro:
        raise EntradaInvalida(f"{caminho}: pasta sem direito de leitura; rode chmod") from erro
    if not achados:
        raise EntradaInvalida(f"{caminho}: nenhum .gdb, .gdb.zip ou u??t_pj.csv nesta pasta")
    return achados


def _carregavel(item: Path) -> bool:
    if item.is_dir():
        return e_geodatabase(item)
    return item.name.lower().endswith(".gdb.zip") or bool(_NOME_PJ.fullmatch(item.name))


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
    """Files to hash; Esri's lock files come and go without changing the content."""
    if caminho.is_file():
        yield caminho, b""
        return
    for arquivo in sorted(caminho.iterdir()):
        if arquivo.is_file() and arquivo.suffix != ".lock":
            yield arquivo, f"{arquivo.name}\0{arquivo.stat().st_size}\0".encode()
