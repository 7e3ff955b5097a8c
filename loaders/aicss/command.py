"""``python -m loaders aicss``: paths to land, a bar, a line on each.

Belongs here: the command. Not here: the landing itself (landing.py).
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Annotated, BinaryIO

import psycopg
import typer
from rich.console import Console
from rich.progress import wrap_file

from loaders import connection as db
from loaders.aicss.clock import Unreadable, instant, midnight
from loaders.aicss.landing import COUNTS, STDIN, land, prepare
from loaders.aicss.reading import device_of_name
from loaders.errors import DatabaseFailure, InvalidInput, LoadError

EXTENSIONS = {".json", ".jsonl", ".ndjson", ".csv", ".txt", ".log"}


def files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files meant by paths; of a folder those whose extension a log can have.

    Raises:
        InvalidInput: a folder without such a file, or without rights.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        try:
            inside = [x for x in sorted(path.rglob("*")) if x.suffix.lower() in EXTENSIONS]
        except OSError as error:
            raise InvalidInput(
                f"{path}: a pasta não pode ser lida ({error.strerror}); confira os direitos"
            ) from error
        if not inside:
            raise InvalidInput(f"{path}: sem arquivos {' '.join(sorted(EXTENSIONS))}")
        yield from inside


def _opened(path: Path) -> BinaryIO:
    if str(path) != STDIN:
        return path.open("rb")
    # On disk, not in memory: the input is read twice, for its shape and for its readings.
    copied = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _land_path
    shutil.copyfileobj(sys.stdin.buffer, copied)
    copied.seek(0)
    return copied


def _with_bar(file: BinaryIO, name: str) -> AbstractContextManager[BinaryIO]:
    """The file, with a progress bar when a person watches."""
    if not sys.stderr.isatty():
        return nullcontext(file)
    size = os.fstat(file.fileno()).st_size
    console = Console(stderr=True)
    return wrap_file(file, size, description=name, console=console, transient=True)


def _land_path(
    conn: psycopg.Connection,
    path: Path,
    *,
    device: str | None,
    start: datetime | None,
) -> str:
    """Land one path and say in a line what came of it."""
    name, begun = str(path), monotonic()
    default = None if name == STDIN else device_of_name(path)
    try:
        with _opened(path) as raw, _with_bar(raw, name) as file:
            result = land(conn, file, name=name, device=device, default=default, start=start)
    except OSError as error:
        raise InvalidInput(
            f"{name}: não pode ser lido ({error.strerror}); confira o caminho e os direitos"
        ) from error
    except psycopg.Error as error:
        said = " ".join((error.diag.message_primary or str(error)).split())
        raise DatabaseFailure(
            f"{name}: o PostgreSQL recusou ({said}); nada mudou, repita quando o banco responder"
        ) from error
    if result.already_landed:
        return f"{name}: já carregado, nada mudou"
    counts = ", ".join(
        f"{n} {field_name}" for field_name, n in zip(COUNTS, result.counts, strict=True)
    )
    return f"{name}: {counts}; {monotonic() - begun:.1f} s"


HELP = "Aterrissa leituras AICSS: JSON, JSON lines, CSV ou o registro serial, pelo conteúdo."


def command(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="CAMINHO...", help="Arquivos, pastas deles, ou - (entrada padrão)."),
    ],
    *,
    device: Annotated[
        str | None,
        typer.Option(
            "--dispositivo",
            help="Aparelho das leituras que não o dizem (senão, o nome do arquivo).",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--inicio",
            help="Horário ISO da primeira linha de um registro sem horários, um segundo cada; só a"
            " data é a meia-noite dela em São Paulo.",
        ),
    ] = None,
) -> None:
    """Land AICSS readings: JSON, JSON lines, CSV or the serial text log, told by content."""
    try:
        begun = (midnight(start) or instant(start)) if start else None
    except Unreadable as error:
        raise typer.BadParameter(
            f"{start!r}: {error}; escreva como 2025-03-01T00:00:00-03:00", param_hint="--inicio"
        ) from error
    if begun and midnight(start or ""):
        typer.echo(f"--inicio sem hora: tomado como {begun:%d/%m/%Y 00:00:00 (UTC%z)}", err=True)
    for path in paths:
        if str(path) != STDIN and not path.exists():
            raise typer.BadParameter(f"{path}: não existe", param_hint="CAMINHO")
    code = 0
    try:
        found = list(files(paths))
        with db.connect() as conn:
            db.prepare(conn)
            prepare(conn)
            for path in found:
                try:
                    typer.echo(_land_path(conn, path, device=device, start=begun))
                except InvalidInput as error:
                    typer.echo(f"erro: {error}", err=True)
                    code = error.code
    except LoadError as error:
        typer.echo(f"erro: {error}", err=True)
        code = error.code
    if code:
        raise typer.Exit(code)
