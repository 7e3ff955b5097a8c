"""What a path holds, by its bytes and members rather than its name alone.

Belongs here: telling a geodatabase or a ``_pj`` CSV from anything else, standard library only.
Not here: reading rows (geodatabase.py, csv_pj.py), walking folders (files.py).
"""

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from loaders.bdgd import zip_archive
from loaders.bdgd.layers import UC_LAYERS, UCAT, UCBT, UCMT, Layer
from loaders.errors import InvalidInput

CATALOGUE = "a00000001.gdbtable"
"""The file that every file geodatabase has."""

_PJ = re.compile(r"(?<![a-z])(ucat|ucmt|ucbt)[_\-. ]*pj(?![a-z])", re.IGNORECASE)
_GDB_FILE = re.compile(r"a[0-9a-f]{8}\.|(gdb|timestamps)$|.*\.lock$", re.IGNORECASE)
_TEXT = frozenset({".csv", ".txt", ".tsv", ".dat", ""})
SEPARATOR_HINT = re.compile(r"\W*sep=([^\w\"]?)\W*", re.IGNORECASE)
"""The line ``sep=;`` that tells Excel a CSV's separator: neither header nor record."""
_HEADER_BYTES = 64 * 1024
_ONLY_IN = ((UCAT, {"ene_p_01"}), (UCMT, {"dem_01"}), (UCBT, {"ramal", "uni_tr_mt"}))
_SYSTEM = frozenset({".ds_store", "thumbs.db", "desktop.ini", "__macosx"})
_NAMES_IN_MESSAGE = 5

_EXPORT = "exporte para file geodatabase (.gdb) e carregue a pasta"
_UNPACK = "extraia-o e carregue o que há dentro"
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"7z\xbc\xaf\x27\x1c", f"é um arquivo 7z; {_UNPACK}"),
    (0, b"Rar!\x1a\x07", f"é um arquivo RAR; {_UNPACK}"),
    (0, b"\x1f\x8b", f"é um arquivo gzip; {_UNPACK}"),
    (0, b"BZh", f"é um arquivo bzip2; {_UNPACK}"),
    (0, b"\xfd7zXZ\0", f"é um arquivo xz; {_UNPACK}"),
    (0, b"\x28\xb5\x2f\xfd", f"é um arquivo zstd; {_UNPACK}"),
    (257, b"ustar", f"é um arquivo tar; {_UNPACK}"),
    (0, b"SQLite format 3\0", f"é um banco SQLite ou GeoPackage; {_EXPORT}"),
    (0, b"\0\1\0\0Standard Jet DB", f"é um banco Access (.mdb, geodatabase pessoal); {_EXPORT}"),
    (0, b"\0\1\0\0Standard ACE DB", f"é um banco Access (.accdb); {_EXPORT}"),
    (0, b"\0\0\x27\x0a", f"é um shapefile; {_EXPORT}"),
    (0, b"PAR1", f"é um arquivo Parquet; {_EXPORT}"),
    (0, b"%PDF", "é um PDF; baixe a geodatabase ou o CSV"),
    (0, b"\xd0\xcf\x11\xe0", "é um documento antigo do Office; baixe a geodatabase ou o CSV"),
    (0, b"\x89PNG", "é uma imagem; baixe a geodatabase ou o CSV"),
    (0, b"\xff\xd8\xff", "é uma imagem; baixe a geodatabase ou o CSV"),
)
_ARCHIVES = frozenset({".zip", ".7z", ".rar", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst"})
_PARTIAL = frozenset({".part", ".partial", ".crdownload", ".download", ".filepart", ".tmp"})
_OFFICE = frozenset({".xlsx", ".xlsm", ".xlsb", ".docx", ".pptx", ".ods", ".odt", ".kmz", ".qgz"})


class NotABdgd(InvalidInput):
    """Nothing that this loader could ever land: a folder passes it over, with this as the reason.

    A plain ``InvalidInput`` instead is a delivery that cannot be read.
    """


@dataclass(frozen=True)
class Kind:
    """What a path holds.

    Attributes:
        layer: of a ``_pj`` CSV; None for a geodatabase.
        member: inside a zip, the geodatabase's folder or the CSV's name as the zip writes it.
        others: names inside the zip that are not read.
    """

    layer: Layer | None = None
    member: str | None = None
    others: tuple[str, ...] = ()


def is_geodatabase(folder: Path) -> bool:
    """Whether a folder is a file geodatabase rather than a folder of them.

    Unpacking ``x.gdb.zip`` into ``x.gdb`` makes a folder of one out of a geodatabase's name.
    """
    if (folder / CATALOGUE).is_file():
        return True
    return folder.suffix.lower() == ".gdb" and not any(
        (item / CATALOGUE).is_file() for item in folder.iterdir() if item.is_dir()
    )


def is_system_file(name: PurePosixPath | Path) -> bool:
    """What macOS and Windows leave beside one's files."""
    return name.name.startswith("._") or any(part.lower() in _SYSTEM for part in name.parts)


def identify(path: Path) -> Kind:
    """Say what a path holds.

    Raises:
        NotABdgd: it is something else; says what, and what to do.
        InvalidInput: it is, or claims to be, a delivery, but cannot be read.
    """
    if path.is_dir():
        if is_geodatabase(path):
            return Kind()
        raise NotABdgd(f"{path.name}: pasta sem geodatabase")
    if path.is_symlink() and not path.exists():
        raise NotABdgd(f"{path.name}: atalho para um arquivo que não existe")
    if not path.is_file():
        raise NotABdgd(f"{path.name}: não é um arquivo comum")
    if is_system_file(Path(path.name)):
        raise NotABdgd(f"{path.name}: arquivo do sistema operacional (macOS ou Windows)")
    if path.suffix.lower() == ".zip" or _is_zip(path):
        return _of_zip(path)
    return _of_plain(path)


def _is_zip(path: Path) -> bool:
    """By its bytes; an office document is a zip too, but no delivery."""
    return path.suffix.lower() not in _OFFICE and _start(path)[:4] in (b"PK\3\4", b"PK\5\6")


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEADER_BYTES)
    except PermissionError as error:
        raise InvalidInput(f"{path.name}: sem direito de leitura; rode chmod") from error


def _claims_to_be_ours(name: str) -> bool:
    """Whether a name says that there are data of ours in it: then not reading it is an error."""
    suffix = Path(name).suffix.lower()
    if suffix in _ARCHIVES or suffix == ".csv":
        return bool(_PJ.search(name)) or ".gdb" in name.lower()
    return suffix == ".gdb"


def _of_plain(path: Path) -> Kind:
    start, suffix = _start(path), path.suffix.lower()
    refuse = InvalidInput if _claims_to_be_ours(path.name) else NotABdgd
    if suffix in _PARTIAL:
        raise NotABdgd(f"{path.name}: transferência incompleta; espere que termine")
    if not start:
        raise refuse(f"{path.name}: arquivo vazio; baixe o arquivo de novo")
    for offset, magic, what in _MAGIC:
        if start.startswith(magic, offset):
            raise refuse(f"{path.name}: {what}")
    if path.parent.suffix.lower() == ".gdb":
        raise NotABdgd(f"{path.name}: é um pedaço da geodatabase; carregue a pasta {path.parent}")
    if suffix in _OFFICE:
        raise NotABdgd(f"{path.name}: é uma planilha ou documento ({suffix}), não BDGD")
    if _is_page(start):
        raise refuse(f"{path.name}: é uma página da internet; baixe o arquivo de novo")
    if suffix in _TEXT and (layer := _layer_of(path.name, lambda: start)):
        return Kind(layer=layer)
    raise refuse(
        f"{path.name}: não é uma geodatabase (.gdb, .gdb.zip) nem um CSV ucat_pj, ucmt_pj ou"
        " ucbt_pj com o cabeçalho da ANEEL"
    )


def _is_page(start: bytes) -> bool:
    """What a portal sends instead of the file."""
    return start.lstrip()[:5].lower() in (b"<html", b"<!doc")


def _layer_of(name: str, read: Callable[[], bytes], *, archive: str = "") -> Layer | None:
    """The layer of a ``_pj`` CSV: its name, its zip's, or its header, which may not disagree."""
    said = next((m[1].lower() for m in map(_PJ.search, (name, archive)) if m), None)
    named = next((layer for layer in UC_LAYERS if layer.table == said), None)
    columns = header(read())
    shown = [layer for layer, only in _ONLY_IN if only & columns]
    if named and shown and named not in shown:
        raise InvalidInput(
            f"{archive or name}: o nome diz {named.name}, mas o cabeçalho é de {shown[0].name};"
            " confira o conteúdo e renomeie o arquivo"
        )
    if named and (name.lower().endswith(".csv") or "dist" in columns):
        return named
    if not {"dist", "cod_id_encr"} <= columns and not {"dist", "data_base"} <= columns:
        return None
    if len(shown) != 1:
        raise InvalidInput(
            f"{archive or name}: CSV _pj de camada incerta, nem o nome nem o cabeçalho a dizem;"
            " renomeie para ucat_pj.csv, ucmt_pj.csv ou ucbt_pj.csv"
        )
    return shown[0]


def header(start: bytes) -> set[str]:
    """Lower-case column names of a CSV's first line but ``sep=``, whatever the separator."""
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = start[: len(start) // 2 * 2].decode("utf-16", "replace")
    else:
        text = start.decode("utf-8-sig", "replace")
    lines = (line for line in re.split(r"[\r\n]+", text) if line.strip())
    first = next((line for line in lines if not SEPARATOR_HINT.fullmatch(line)), "")
    return {name.strip().strip('"').strip().lower() for name in re.split(r"[;,\t|]", first)}


def _of_zip(path: Path) -> Kind:
    start = _start(path)
    if not start:
        raise InvalidInput(f"{path.name}: arquivo vazio; baixe o arquivo de novo")
    if start[:2] != b"PK" and any(start.startswith(m, n) for n, m, _ in _MAGIC):
        what = next(what for n, m, what in _MAGIC if start.startswith(m, n))
        raise InvalidInput(f"{path.name}: não é um zip, {what}")
    if _is_page(start):
        raise InvalidInput(f"{path.name}: é uma página da internet; baixe o arquivo de novo")
    with zip_archive.opened(path) as package:
        return _of_members(path, package)


def _of_members(path: Path, package: zipfile.ZipFile) -> Kind:
    members = {
        name: member
        for member in package.infolist()
        if not is_system_file(name := zip_archive.clean_name(member))
        and not member.filename.endswith(("/", "\\"))
    }
    folders = sorted({str(name.parent) for name in members if name.name.lower() == CATALOGUE})
    outside = {n: m for n, m in members.items() if not _is_part(n, folders)}
    tables: dict[str, Layer] = {}
    for name, member in outside.items():
        if name.suffix.lower() in _TEXT:
            layer = _layer_of(name.name, _reader(package, member), archive=path.name)
            if layer:
                tables[member.filename] = layer
    found = [*folders, *tables]
    if len(found) > 1:
        raise InvalidInput(
            f"{path.name}: o zip tem {len(folders)} geodatabases e {len(tables)} CSVs _pj"
            f" ({_names(found)}), deve ter um só; extraia-o e carregue a pasta"
        )
    if not found:
        raise _nothing_in(path, members)
    others = tuple(str(n) for n, m in outside.items() if m.filename not in tables)
    inner = [n for n in others if Path(n).suffix.lower() in _ARCHIVES and _claims_to_be_ours(n)]
    if inner:
        raise InvalidInput(
            f"{path.name}: ao lado de {found[0]} o zip tem outro arquivo compactado com dados"
            f" ({_names(inner)}); extraia-o e carregue a pasta"
        )
    return Kind(next(iter(tables.values()), None), found[0], others)


def _is_part(name: PurePosixPath, folders: list[str]) -> bool:
    """Whether a member belongs to one of the geodatabases, which may lie at the zip's root."""
    parent = str(name.parent)
    return parent in folders and (parent != "." or bool(_GDB_FILE.match(name.name)))


def _reader(package: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        with package.open(member) as file:
            return file.read(_HEADER_BYTES)

    return read


def _nothing_in(path: Path, members: dict[PurePosixPath, zipfile.ZipInfo]) -> InvalidInput:
    """Why a zip without geodatabase and CSV cannot be landed."""
    if not members:
        return InvalidInput(f"{path.name}: o zip está vazio; baixe o arquivo de novo")
    if inner := [str(name) for name in members if name.suffix.lower() in _ARCHIVES]:
        return InvalidInput(
            f"{path.name}: há outro arquivo compactado dentro do zip ({_names(inner)});"
            " extraia o de fora e carregue o de dentro"
        )
    parts = {parent for name in members for parent in name.parents}
    tables = [name for name in members if re.search(r"\.gdbtabl", name.name, re.IGNORECASE)]
    if tables or any(parent.suffix.lower() == ".gdb" for parent in parts):
        return InvalidInput(
            f"{path.name}: a geodatabase do zip está sem o catálogo ({CATALOGUE});"
            " baixe o arquivo de novo"
        )
    refuse = InvalidInput if _claims_to_be_ours(path.name) else NotABdgd
    return refuse(
        f"{path.name}: o zip não tem geodatabase (.gdb) nem CSV _pj, tem:"
        f" {_names([str(name) for name in members])}"
    )


def _names(names: list[str]) -> str:
    """Some names for a message, however many there are."""
    rest = len(names) - _NAMES_IN_MESSAGE
    return ", ".join(names[:_NAMES_IN_MESSAGE]) + (f" e mais {rest}" if rest > 0 else "")
