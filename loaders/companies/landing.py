"""Landing of a delivery of the registry, a month's files, all or nothing.

Belongs here: the order of the steps, the transaction, the counts. Not here: files (delivery.py), a
record's meaning (filtering.py), SQL (statements.py), the addresses' comparison (addresses.py).
Establishments come first, in a stream, filtered; then companies and Simples of their roots.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import psycopg
from psycopg.types.json import Jsonb

from loaders.companies import filtering, reading, scope, statements
from loaders.companies.delivery import Delivery, Part
from loaders.companies.layout import FIELDS, Kind
from loaders.companies.scope import Scope
from loaders.errors import DatabaseFailure, InvalidInput

ORIGIN = "empresas"
"""``origem`` in raw.rejeitado."""
_LOCK = "hashtextextended('intel_lead empresas', 0)"
_ROOT = re.compile(rb"[0-9A-Z]{8}")
_HEADER = re.compile(rb"\"?cnpj", re.IGNORECASE)
_KEY = "S9"
"""A root as numpy keeps it: one byte more, so that a longer text is not cut to one."""
_FEW = 200_000
"""Unreadable lines that a part may have, be it ever so large."""
_LINES_AT_ONCE = 50_000

Bar = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]

log = logging.getLogger(__name__)


def silent(name: str, size: int) -> AbstractContextManager[Callable[[int], None]]:
    """No bar."""
    return nullcontext(lambda _: None)


@dataclass
class Counts:
    """What became of a delivery's establishments; their sum is the lines of its files."""

    lines: int = 0
    landed: int = 0
    outside: int = 0
    persons: int = 0
    rejected: int = 0
    unknown_towns: set[str] = field(default_factory=set)


def land(
    conn: psycopg.Connection,
    delivery: Delivery,
    wanted: Scope,
    *,
    force: bool = False,
    dry_run: bool = False,
    bar: Bar = silent,
) -> Counts | None:
    """Land a delivery: the municípios of the scope then have it and nothing older.

    ``dry_run`` takes it back at the end.

    Returns:
        what became of its establishments; None where it is there already.

    Raises:
        InvalidInput: a file is damaged, cut, or not this layout; or the delivery is older than
            what is there, or has fewer parts, and ``force`` is not given. Nothing changed.
    """
    towns = sorted(wanted.municipios.values())
    key = (delivery.month, delivery.sha256(), wanted.digest)
    try:
        with conn.transaction(force_rollback=dry_run):
            conn.execute(f"select pg_advisory_xact_lock({_LOCK})")
            standing = conn.execute(statements.STANDING, [towns]).fetchall()
            if [row[:3] for row in standing] == [key] and _all_there(conn, towns):
                return None
            newest = max((month for month, *_ in standing), default=delivery.month)
            if newest > delivery.month and not force:
                raise InvalidInput(
                    f"entrega {delivery.month:%Y-%m}: já está aqui a de {newest:%Y-%m}, mais nova;"
                    " para voltar atrás, --forcar"
                )
            parts = max((len(files) for *_, files in standing), default=0)
            if len(delivery.parts) < parts and not force:
                raise InvalidInput(
                    f"entrega {delivery.month:%Y-%m}: tem {len(delivery.parts)} partes, a que está"
                    f" aqui tem {parts}: baixe as que faltam ou, se está certo, --forcar"
                )
            return _land(conn, delivery, wanted, towns, key, bar)
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        said = " ".join((error.diag.message_primary or str(error)).split())
        raise DatabaseFailure(f"o PostgreSQL recusou a entrega ({said}); nada mudou") from None


def _all_there(conn: psycopg.Connection, towns: list[int]) -> bool:
    query = "select count(*) from controle.empresa_municipio where municipio_id = any(%s)"
    return conn.execute(query, [towns]).fetchone() == (len(towns),)


def _land(
    conn: psycopg.Connection,
    delivery: Delivery,
    wanted: Scope,
    towns: list[int],
    key: tuple[object, ...],
    bar: Bar,
) -> Counts:
    for statement in statements.ARRIVALS.split(";"):
        conn.execute(statement)
    counts = Counts()
    for part in delivery.of(Kind.ESTABLISHMENTS):
        _establishments(conn, part, wanted, counts, bar)
    conn.execute("analyze empresa_chegada")
    rows = conn.execute(statements.ROOTS).fetchall()
    roots = np.sort(np.array([root.encode() for (root,) in rows], dtype=_KEY))
    for part in [*delivery.of(Kind.COMPANIES), *delivery.of(Kind.SIMPLES)]:
        _of_roots(conn, part, roots, bar)
    conn.execute(statements.JUDGE)
    conn.execute(statements.REFUSE)
    kept, persons, unknown, arrived = conn.execute(statements.TALLY).fetchone()
    if unknown > max(0.1 * arrived, 20):
        raise InvalidInput(
            f"entrega {delivery.month:%Y-%m}: {unknown} de {arrived} estabelecimentos não têm linha"
            " em Empresas: falta uma parte, ou são de meses diferentes; nada mudou"
        )
    values = {
        "municipios": towns,
        "month": delivery.month,
        "sha256": key[1],
        "scope": key[2],
        "files": [part.name for part in delivery.parts],
    }
    (number,) = conn.execute(statements.REGISTER, values).fetchone()
    for statement in statements.CLEAR.split(";"):
        conn.execute(statement, values)
    landed = conn.execute(statements.KEEP, {"delivery": number}).rowcount
    conn.execute(statements.COUNT_PERSONS)
    _note_rejected(conn, delivery, counts)
    counts.landed, counts.persons = landed, persons
    _check(delivery, counts, kept)
    numbers = {n: v for n, v in vars(counts).items() if isinstance(v, int)}
    conn.execute(statements.COUNTED, numbers | {"delivery": number})
    conn.execute(statements.OWNERS, values | {"delivery": number})
    return counts


def _note_rejected(conn: psycopg.Connection, delivery: Delivery, counts: Counts) -> None:
    month = f"{delivery.month:%Y-%m}"
    conn.execute(
        "delete from raw.rejeitado where origem = %s and arquivo like %s", [ORIGIN, f"{month} %"]
    )
    conn.execute(statements.REJECTED, {"origin": ORIGIN, "month": month})
    names = [part.name for part in delivery.of(Kind.ESTABLISHMENTS)]
    query = "select count(*) from empresa_recusada where arquivo = any(%s)"
    (counts.rejected,) = conn.execute(query, [names]).fetchone()


def _check(delivery: Delivery, counts: Counts, kept: int) -> None:
    total = counts.landed + counts.outside + counts.persons + counts.rejected
    if total != counts.lines or kept != counts.landed:
        raise InvalidInput(
            f"entrega {delivery.month:%Y-%m}: os arquivos têm {counts.lines} linhas e a leitura"
            f" deu conta de {total}; nada mudou: guarde os arquivos e relate o defeito"
        )


# Reading ------------------------------------------------------------------------------------------


class _Refusals:
    """Lines of a part that cannot be read, until they can be written; refuses a part of them."""

    def __init__(self, part: Part) -> None:
        self.part, self.rows = part, []

    def add(self, number: int, reason: str, line: bytes) -> None:
        """Keep a line's number and beginning: what follows may be a person's."""
        fields = reading.split(line)
        start = reading.text(b";".join(fields[: 3 if self.part.kind is Kind.ESTABLISHMENTS else 1]))
        record = {"inicio": start[:20], "campos": len(fields)}
        self.rows.append((self.part.name, number, reason, Jsonb(record)))
        if len(self.rows) > _FEW:
            self.refuse(number)

    def refuse(self, lines: int) -> None:
        """Raise what says that this is another layout.

        Raises:
            InvalidInput: always.
        """
        raise InvalidInput(
            f"{self.part.name}: {len(self.rows)} de {lines} linhas não são de {self.part.kind}"
            f" ({self.rows[0][2]}, linha {self.rows[0][1]}): não é este o leiaute da Receita, ou o"
            " download falhou; nada mudou"
        )

    def settle(self, conn: psycopg.Connection, source: reading.CountingReader) -> None:
        """Write them, unless they are too many for a whole file.

        Raises:
            InvalidInput: more than a tenth of the lines, or the last one was cut.
        """
        if self.rows and source.cut and self.rows[-1][1] == source.lines:
            raise InvalidInput(
                f"{self.part.name}: a última linha está cortada; baixe o arquivo de novo"
            )
        if not source.lines:
            raise InvalidInput(f"{self.part.name}: arquivo vazio; baixe o arquivo de novo")
        if len(self.rows) > 0.1 * source.lines:
            self.refuse(source.lines)
        with conn.cursor().copy("copy empresa_recusada from stdin") as copy:
            for row in self.rows:
                copy.write_row(row)


def _establishments(
    conn: psycopg.Connection, part: Part, wanted: Scope, counts: Counts, bar: Bar
) -> None:
    """Copy the establishments of one part that are wanted; count all of its lines."""
    refusals, towns = _Refusals(part), scope.tom_codes()
    columns = ", ".join(["arquivo", *filtering.COLUMNS])
    read = headers = 0
    with (
        part.opened() as source,
        bar(part.name, part.size) as advance,
        conn.cursor().copy(f"copy empresa_chegada ({columns}) from stdin") as copy,
    ):
        for read, line in _advancing(source, advance):
            raw = reading.split(line)
            town = raw[20].decode("ascii", "replace").strip().zfill(4) if len(raw) == 30 else None
            if read == 1 and _HEADER.match(line):
                headers = 1
            elif town is not None and town not in wanted.municipios and _ROOT.fullmatch(raw[0]):
                counts.outside += 1
                if town not in towns:
                    counts.unknown_towns.add(town)
            else:
                row = _establishment(line, wanted, refusals, read)
                counts.outside += row is None
                if row:
                    copy.write_row((part.name, read, *row))
    counts.lines += source.lines - headers
    refusals.settle(conn, source)
    if read != source.lines:
        raise InvalidInput(
            f"{part.name}: tem {source.lines} linhas e só {read} foram lidas; nada mudou"
        )


def _establishment(
    line: bytes, wanted: Scope, refusals: _Refusals, number: int
) -> tuple[object, ...] | tuple[()] | None:
    """The row of a line; None where it is not wanted, empty where it was refused."""
    fields = reading.fields(line, FIELDS[Kind.ESTABLISHMENTS])
    if fields is None:
        refusals.add(number, "não tem os 30 campos", line)
        return ()
    town = wanted.municipios.get(fields[20].zfill(4))
    try:
        if town is None and not filtering.valid_cnpj("".join(fields[:3]).upper()):
            raise ValueError("CNPJ ilegível")
        return None if town is None else filtering.establishment(fields, town, wanted)
    except ValueError as error:
        refusals.add(number, str(error), line)
        return ()


def _of_roots(conn: psycopg.Connection, part: Part, roots: np.ndarray, bar: Bar) -> None:
    """Copy what Empresas or Simples say of these roots; other lines are not even split."""
    refusals, read = _Refusals(part), 0
    table = "empresa_da_raiz" if part.kind is Kind.COMPANIES else "empresa_mei"
    with (
        part.opened() as source,
        bar(part.name, part.size) as advance,
        conn.cursor().copy(f"copy {table} from stdin") as copy,
    ):
        numbered = _advancing(source, advance)
        while block := list(islice(numbered, _LINES_AT_ONCE)):
            read = block[-1][0]
            keys = [reading.root(line) for _, line in block]
            for (number, line), key, ours in zip(block, keys, _known(keys, roots), strict=True):
                if ours:
                    _write_of_root(copy, part.kind, line, refusals, number)
                elif not _ROOT.fullmatch(key) and not (number == 1 and _HEADER.match(line)):
                    refusals.add(number, "não começa pelo CNPJ básico", line)
    refusals.settle(conn, source)
    if read != source.lines:
        raise InvalidInput(
            f"{part.name}: tem {source.lines} linhas e só {read} foram lidas; nada mudou"
        )


def _known(keys: list[bytes], roots: np.ndarray) -> np.ndarray:
    """Which of the keys are among the sorted roots."""
    if not roots.size:
        return np.zeros(len(keys), dtype=bool)
    wanted = np.array(keys, dtype=_KEY)
    places = np.minimum(roots.searchsorted(wanted), roots.size - 1)
    return roots[places] == wanted


def _write_of_root(
    copy: psycopg.Copy, kind: Kind, line: bytes, refusals: _Refusals, number: int
) -> None:
    fields = reading.fields(line, FIELDS[kind])
    try:
        if fields is None:
            raise ValueError(f"não tem os {FIELDS[kind]} campos")
        if kind is Kind.COMPANIES:
            copy.write_row(filtering.company(fields))
        elif filtering.is_mei(fields):
            copy.write_row((fields[0],))
    except ValueError as error:
        refusals.add(number, str(error), line)


def _advancing(
    source: reading.CountingReader, advance: Callable[[int], None]
) -> Iterator[tuple[int, bytes]]:
    """Numbered lines, the bar moving by what has been read."""
    seen = 0
    for number, line in reading.lines(source):
        if source.bytes != seen:
            advance(source.bytes - seen)
            seen = source.bytes
        yield number, line
