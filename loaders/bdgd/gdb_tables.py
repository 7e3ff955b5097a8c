"""A file geodatabase's catalogue against its files: what GDAL would not miss is missed here.

Belongs here: which tables there should be, and which layer is meant by a name. Not here: rows.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyogrio
import pyogrio.raw

from loaders.bdgd.gdal_warnings import refused
from loaders.bdgd.kinds import CATALOGUE, is_system_file
from loaders.bdgd.layers import ALL_LAYERS
from loaders.errors import InvalidInput

_COMPRESSED = re.compile(r"\.(cdf|sdc|sdi)$", re.IGNORECASE)
"""Esri's Compressed Data Format and Smart Data Compression (data and its index)."""
_TABLE = re.compile(r"(a[0-9a-f]{8})\.gdbtable$", re.IGNORECASE)
_WANTED = re.compile(
    rf"({'|'.join([*(name for c in ALL_LAYERS for name in c.names), 'BASE'])})(_tab)?",
    re.IGNORECASE,
)
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


def check_tables(folder: Path, file: str) -> None:
    """Refuse a geodatabase that lacks the data of a layer of ours, or holds data it does not list.

    Raises:
        InvalidInput: names the layers and their files.
    """
    sizes = {f.name.lower(): f.stat().st_size for f in _files(folder)}
    if not sizes.get(CATALOGUE):
        raise InvalidInput(
            f"{file}: não é uma geodatabase, ou falta o seu catálogo ({CATALOGUE}); {_ASK}"
        )
    listed = catalogue(folder)
    gone = {n: name for n, name in listed.items() if not sizes.get(f"{n}.gdbtable")}
    if ours := [f"{name} ({n}.gdbtable)" for n, name in gone.items() if _is_ours(name)]:
        raise InvalidInput(
            f"{file}: faltam os dados de {', '.join(ours)}, que o catálogo da geodatabase lista;"
            f" {_ASK}"
        )
    tables = {m[1].lower() for m in map(_TABLE.match, sizes) if m}
    if stray := sorted(tables - listed.keys()):
        raise InvalidInput(
            f"{file}: o catálogo da geodatabase não lista {', '.join(stray)}.gdbtable, que pode"
            f" ser uma camada; {_ASK}"
        )
    others = sorted(name for name in gone.values() if not name.upper().startswith("GDB_"))
    if others:
        log.warning("%s: faltam tabelas que não se carregam: %s", file, ", ".join(others))


def check_opened(folder: Path, file: str, opened: list[str]) -> None:
    """Refuse a geodatabase of which GDAL does not list a layer of ours that a catalogue lists.

    Raises:
        InvalidInput: names the layers.
    """
    known = {*catalogue(folder).values(), *_items(folder)}
    if missing := sorted(name for name in known - {*opened} if _is_ours(name)):
        raise InvalidInput(
            f"{file}: a geodatabase lista {', '.join(missing)}, mas a tabela não se abre; {_ASK}"
        )


def _is_ours(name: str) -> bool:
    return bool(_WANTED.fullmatch(name))


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
