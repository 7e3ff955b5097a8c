"""A file geodatabase's catalogue against its files: what GDAL would not miss is missed here.

Belongs here: which tables there should be, and which layer is meant by a name. Not here: rows.
"""

import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyogrio
import pyogrio.raw

from loaders.bdgd.gdal_warnings import refused
from loaders.bdgd.kinds import CATALOGUE, is_system_file
from loaders.bdgd.layers import known_name
from loaders.errors import InvalidInput

_COMPRESSED = re.compile(r"\.(cdf|sdc|sdi)$", re.IGNORECASE)
"""Esri's Compressed Data Format and Smart Data Compression (data and its index)."""
_TABLE = re.compile(r"(a[0-9a-f]{8})\.gdbtable$", re.IGNORECASE)
_POINTER = b"version https://git-lfs"
"""Begins what a repository keeps in a large file's place."""
_ASK = "baixe o arquivo de novo, ou peça-o inteiro à distribuidora"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """The layer of a file that answers to a name.

    Attributes:
        name: as the file writes it.
        info: what its table's header declares (``pyogrio.read_info``).
        notes: what a person should know.
    """

    name: str
    info: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """As the header declares, not what reading it gives."""
        return int(self.info["features"])


def check_not_compressed(folder: Path, file: str) -> None:
    """Refuse tables that ArcGIS compressed: GDAL reads on without them.

    Raises:
        InvalidInput: names the tables, as far as the catalogue can be read.
    """
    numbers = sorted({f.name.split(".")[0].lower() for f in _files(folder) if _is_compressed(f)})
    if not numbers:
        return
    try:
        names = catalogue(folder)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the compression is the reason
        names = {}
    tables = ", ".join(names.get(number, number) for number in numbers)
    raise InvalidInput(
        f"{file}: tabelas comprimidas pelo ArcGIS (.cdf/.sdc), que não se leem fora dele: {tables};"
        " descomprima no ArcGIS (Uncompress File Geodatabase Data) ou peça outra exportação"
    )


def _files(folder: Path) -> list[Path]:
    return [f for f in sorted(folder.iterdir()) if not is_system_file(Path(f.name))]


def _is_compressed(file: Path) -> bool:
    return bool(_COMPRESSED.search(file.name))


def catalogue(folder: Path) -> dict[str, str]:
    """Number of a table's files (``a0000000c``) → its name, for every table there should be."""
    _, fids, _, (names,) = pyogrio.raw.read(
        folder, layer="GDB_SystemCatalog", columns=["Name"], return_fids=True, read_geometry=False
    )
    return {f"a{fid:08x}": str(name) for fid, name in zip(fids, names, strict=True)}


def _items(folder: Path) -> set[str]:
    """Names that GDB_Items, the other catalogue, knows; older geodatabases have none."""
    try:
        _, _, _, (names,) = pyogrio.raw.read(
            folder, layer="GDB_Items", columns=["Name"], read_geometry=False
        )
    except pyogrio.errors.DataLayerError:
        return set()
    return {str(name) for name in names if name}


def check_tables(folder: Path, file: str, without: Collection[str] = ()) -> set[str]:
    """Refuse a geodatabase that lacks the data of a layer of ours, or holds data it does not list.

    Args:
        folder: the geodatabase.
        file: what messages call it.
        without: layers (``UCBT``) that a person says this copy lacks.

    Returns:
        Names, as the catalogue writes them, of layers of ours that it lists and the copy lacks.

    Raises:
        InvalidInput: names the layers and their files; a layer of ``without`` that is there.
    """
    files = {f.name.lower(): f for f in _files(folder)}
    if not _has_data(files.get(CATALOGUE)):
        raise InvalidInput(
            f"{file}: não é uma geodatabase, ou falta o seu catálogo ({CATALOGUE}); {_ASK}"
        )
    listed = catalogue(folder)
    gone = {n: name for n, name in listed.items() if not _has_data(files.get(f"{n}.gdbtable"))}
    there = {n: name for n, name in listed.items() if n not in gone}
    if wrong := [
        f"{name} ({n}.gdbtable)" for n, name in there.items() if known_name(name) in without
    ]:
        raise InvalidInput(
            f"{file}: {', '.join(wrong)} está na geodatabase, e --sem-camada só vale para a camada"
            " cujos dados esta cópia não tem; carregue este arquivo sem a opção"
        )
    ours = {n: name for n, name in gone.items() if known_name(name)}
    if lost := {n: name for n, name in ours.items() if known_name(name) not in without}:
        names = ", ".join(f"{name} ({n}.gdbtable)" for n, name in lost.items())
        say = sorted({str(known_name(name)) for name in ours.values()})
        raise InvalidInput(
            f"{file}: faltam os dados de {names}, que o catálogo da geodatabase lista; {_ASK};"
            " se você sabe que esta cópia não os tem, carregue o resto com"
            f" {' '.join(f'--sem-camada {name}' for name in say)}"
            f' (em make run: SEM_CAMADA="{" ".join(say)}")'
        )
    tables = {m[1].lower() for m in map(_TABLE.match, files) if m}
    if stray := sorted(tables - listed.keys()):
        raise InvalidInput(
            f"{file}: o catálogo da geodatabase não lista {', '.join(stray)}.gdbtable, que pode"
            f" ser uma camada; {_ASK}"
        )
    rest = {*gone.values()} - {*ours.values()}
    others = sorted(name for name in rest if not name.upper().startswith("GDB_"))
    if others:
        log.warning("%s: faltam tabelas que não se carregam: %s", file, ", ".join(others))
    return {*ours.values()}


def _has_data(table: Path | None) -> bool:
    """Whether a table's file is there and is one."""
    if table is None:
        return False
    with table.open("rb") as opened:
        start = opened.read(len(_POINTER))
    return start not in (b"", _POINTER)


def check_opened(folder: Path, file: str, opened: Collection[str]) -> None:
    """Refuse a geodatabase of which GDAL does not list a layer of ours that a catalogue lists.

    Args:
        folder: the geodatabase.
        file: what messages call it.
        opened: what GDAL lists, and what is known to be missing.

    Raises:
        InvalidInput: names the layers.
    """
    known = {*catalogue(folder).values(), *_items(folder)}
    if missing := sorted(name for name in known - {*opened} if known_name(name)):
        raise InvalidInput(
            f"{file}: a geodatabase lista {', '.join(missing)}, mas a tabela não se abre; {_ASK}"
        )


def choose(folder: Path, file: str, opened: list[str], *names: str) -> Choice | None:
    """The layer that has one of the names, in any case, with or without ``_tab``; None without one.

    Raises:
        InvalidInput: two that have rows; names both.
    """
    name = "|".join(names)
    called = re.compile(rf"({name})(_tab)?", re.IGNORECASE)
    found = [Choice(x, _info(folder, file, x)) for x in opened if called.fullmatch(x)]
    if not found:
        return None
    full = [choice for choice in found if choice.rows]
    if len(full) > 1:
        counts = " e ".join(f"{choice.name} ({choice.rows} linhas)" for choice in full)
        raise InvalidInput(
            f"{file}: mais de uma camada responde por {names[0]}: {counts};"
            " deixe só a certa na geodatabase e carregue de novo"
        )
    chosen = (full or found)[0]
    notes = [
        f"camada {choice.name} vazia ao lado de {chosen.name}"
        for choice in found
        if choice is not chosen
    ]
    copies = re.compile(rf"({name})(_tab)?[_ \d].*", re.IGNORECASE)
    notes += [
        f"camada {layer} não carregada"
        for layer in opened
        if copies.fullmatch(layer) and not called.fullmatch(layer)
    ]
    return replace(chosen, notes=tuple(notes))


def _info(folder: Path, file: str, layer: str) -> Mapping[str, Any]:
    with refused(f"{file}: camada {layer}"):
        return pyogrio.read_info(folder, layer=layer, force_feature_count=True)
