"""Which files are a delivery: a month's parts, in folders, zips or beside each other.

Belongs here: finding and opening parts, their content hash. Not here: lines (reading.py).
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

from loaders.bdgd import zip_archive
from loaders.bdgd.files import sha256_of
from loaders.companies import layout, reading
from loaders.companies.layout import Kind
from loaders.errors import InvalidInput

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """One table, or a tenth of one, of a delivery.

    Attributes:
        member: its name within the zip; empty for a file that is no zip.
        size: bytes of text in it.
    """

    path: Path
    member: str
    kind: Kind
    size: int

    @property
    def name(self) -> str:
        """What the ledger and the rejected rows call it."""
        return f"{self.path.name}/{self.member}" if self.member else self.path.name

    @property
    def number(self) -> int | None:
        """Which tenth of the table it is, if its name says it."""
        found = layout.part_of_name(self.path.name)
        return layout.part_of_name(self.member) if found is None else found

    @contextmanager
    def opened(self) -> Iterator[reading.CountingReader]:
        """Its text, as bytes.

        Raises:
            InvalidInput: damaged, or without rights.
        """
        with _opened(self.path, self.member) as source:
            yield reading.CountingReader(source, self.name)


@dataclass(frozen=True)
class Delivery:
    """A month's parts."""

    month: date
    parts: tuple[Part, ...]

    def of(self, kind: Kind) -> list[Part]:
        """Its parts of one kind, in order."""
        return [part for part in self.parts if part.kind is kind]

    def sha256(self) -> str:
        """Hash of the content of its parts, whatever their order."""
        hashes = sorted(f"{sha256_of(path)}" for path in {part.path for part in self.parts})
        return hashlib.sha256("".join(hashes).encode()).hexdigest()


@contextmanager
def _opened(path: Path, member: str) -> Iterator[BinaryIO]:
    try:
        if not member:
            with path.open("rb") as source:
                yield source
            return
        with zip_archive.opened(path) as archive, archive.open(member) as source:
            yield source
    except OSError as error:
        raise InvalidInput(f"{path.name}: não pode ser lido ({error.strerror or error})") from error


def find(paths: Iterable[Path], month: date | None = None) -> list[Delivery]:
    """The deliveries that paths stand for, oldest first.

    Args:
        paths: files, zips, folders of them.
        month: of all of them; else folders' and members' names say it, else the file's own date.

    Raises:
        InvalidInput: no delivery in it, or one that lacks a table or a part, or has one twice.
    """
    by_month: dict[date, list[Part]] = {}
    for path in _files(paths):
        for part in _parts(path):
            by_month.setdefault(month or _month(part), []).append(part)
    if not by_month:
        listed = ", ".join(str(path) for path in paths)
        raise InvalidInput(
            f"{listed}: nenhum arquivo do cadastro CNPJ (Estabelecimentos, Empresas, Simples);"
            " baixe-os dos dados abertos da Receita Federal"
        )
    found = [Delivery(key, tuple(parts)) for key, parts in sorted(by_month.items())]
    for delivery in found:
        _check(delivery)
    return found


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        try:
            if path.is_dir():
                hidden = {x for x in path.rglob("*") if x.name.startswith(".")}
                yield from sorted(x for x in path.rglob("*") if x.is_file() and x not in hidden)
            else:
                yield path
        except PermissionError as error:
            raise InvalidInput(f"{path}: pasta sem direito de leitura; rode chmod") from error


def _parts(path: Path) -> Iterator[Part]:
    if path.suffix.lower() == ".part":
        raise InvalidInput(f"{path.name}: o download não terminou; espere ou baixe de novo")
    if layout.is_other(path.name):
        return
    if path.suffix.lower() != ".zip":
        if kind := _kind(path, "", path.name):
            yield Part(path, "", kind, path.stat().st_size)
        return
    with zip_archive.opened(path) as archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
    for member in members:
        if kind := _kind(path, member.filename, f"{path.name} {member.filename}"):
            yield Part(path, member.filename, kind, member.file_size)


def _kind(path: Path, member: str, name: str) -> Kind | None:
    """The kind that the name says, else the first line's shape."""
    if (kind := layout.kind_of_name(name)) or layout.is_other(name):
        return kind
    with _opened(path, member) as source:
        counted = reading.CountingReader(source, name)
        for _, line in reading.lines(counted):
            if kind := layout.kind_of_line([reading.text(x) for x in reading.split(line)]):
                return kind
            break
    log.warning("passado por alto: %s não é um arquivo do cadastro CNPJ", name)
    return None


def _month(part: Part) -> date:
    names = (part.path.parent.name, part.path.name, part.member)
    if found := next(filter(None, map(layout.month_of_name, names)), None):
        return found
    changed = datetime.fromtimestamp(part.path.stat().st_mtime).date().replace(day=1)
    log.warning(
        "%s: o nome não diz o mês da entrega; fica %s, o da data do arquivo (--mes diz outro)",
        *(part.path.name, f"{changed:%Y-%m}"),
    )
    return changed


def _check(delivery: Delivery) -> None:
    """Refuse a delivery that is silently less than a month's.

    Raises:
        InvalidInput: a table or a part is missing, or is there twice.
    """
    name = f"entrega {delivery.month:%Y-%m}"
    missing = [kind for kind in Kind if not delivery.of(kind)]
    if missing:
        why = " (sem Simples não se sabe quem é MEI)" if Kind.SIMPLES in missing else ""
        raise InvalidInput(f"{name}: falta {' e '.join(missing)}{why}; baixe e repita")
    for kind in (Kind.ESTABLISHMENTS, Kind.COMPANIES):
        parts = delivery.of(kind)
        numbers = sorted(part.number for part in parts if part.number is not None)
        if twice := {n for n in numbers if numbers.count(n) > 1}:
            raise InvalidInput(
                f"{name}: {kind}{min(twice)} está duas vezes (o zip e o extraído?); deixe um"
            )
        gone = [str(n) for n in range(max(numbers, default=-1)) if n not in numbers]
        if gone:
            raise InvalidInput(f"{name}: falta {kind}{', '.join(gone)}; baixe e repita")
        if numbers and numbers[-1] < 9:
            log.warning(
                "%s: de %s há %d partes; a Receita publica dez, e o que falta fica de fora",
                *(name, kind, len(numbers)),
            )
    many = {kind: len(delivery.of(kind)) for kind in (Kind.ESTABLISHMENTS, Kind.COMPANIES)}
    if len(set(many.values())) > 1:
        said = " e ".join(f"{n} de {kind}" for kind, n in many.items())
        raise InvalidInput(f"{name}: há {said}; a Receita as publica em par: baixe as que faltam")
