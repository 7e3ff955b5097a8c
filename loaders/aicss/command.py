"""``python -m loaders aicss``: paths to land, a bar, a line on each.

Belongs here: the command. Not here: the landing itself (landing.py).
"""

import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Annotated, Any, BinaryIO

import psycopg
import typer
from rich.console import Console
from rich.progress import wrap_file

from loaders import connection as db
from loaders.aicss.clock import Unreadable, instant, midnight
from loaders.aicss.landing import COUNTS, STDIN, land, prepare
from loaders.aicss.reading import device_of_name
from loaders.aicss.serial import Pipe, follow
from loaders.aicss.stream import stopped_by_signals
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
    default = None if str(path) == STDIN else device_of_name(path)
    try:
        with path.open("rb") as raw, _with_bar(raw, str(path)) as file:
            return _land_file(conn, file, str(path), device=device, default=default, start=start)
    except OSError as error:
        raise InvalidInput(
            f"{path}: não pode ser lido ({error.strerror}); confira o caminho e os direitos"
        ) from error


def _land_file(conn: psycopg.Connection, file: BinaryIO, name: str, **known: Any) -> str:  # noqa: ANN401
    begun = monotonic()
    try:
        result = land(conn, file, name=name, **known)
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


def _land_stdin(
    conn: psycopg.Connection, path: Path, *, device: str | None, start: datetime | None
) -> str | None:
    """Land standard input: whole if it ends, else as it comes; then nothing is left to say."""
    stop = threading.Event()
    pipe = Pipe(sys.stdin.buffer)
    shape = pipe.shape_of_lines()
    if shape is None:
        with pipe.whole() as file:
            return _land_file(conn, file, str(path), device=device, start=start)
    with stopped_by_signals(stop):
        follow(pipe, shape, conn, stop, device=device, start=start, say=typer.echo)
    return None


def _begun(start: str) -> datetime:
    """The instant that ``--inicio`` means, and a word where it says a day alone."""
    try:
        day = midnight(start)
        begun = day or instant(start)
    except Unreadable as error:
        raise typer.BadParameter(
            f"{start!r}: {error}; escreva como 2025-03-01T00:00:00-03:00", param_hint="--inicio"
        ) from error
    if day:
        typer.echo(f"--inicio sem hora: tomado como {begun:%d/%m/%Y 00:00:00 (UTC%z)}", err=True)
    return begun


HELP = "Aterrissa leituras AICSS: JSON, JSON lines, CSV ou o registro serial, pelo conteúdo."


def command(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="CAMINHO...",
            help="Arquivos, pastas deles, ou - (entrada padrão; a que não acaba é lida à medida"
            " que chega).",
        ),
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
    begun = _begun(start) if start else None
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
                    one = _land_stdin if str(path) == STDIN else _land_path
                    if said := one(conn, path, device=device, start=begun):
                        typer.echo(said)
                except InvalidInput as error:
                    typer.echo(f"erro: {error}", err=True)
                    code = error.code
    except LoadError as error:
        typer.echo(f"erro: {error}", err=True)
        code = error.code
    if code:
        raise typer.Exit(code)
