"""Landing of AICSS readings in ``raw.aicss_leitura``, a transaction a file.

Belongs here: the landing and its ledger. Not here: what a reading looks like (records.py,
reading.py); states and energy (dbt's); what never ends (stream.py, serial.py, mqtt.py).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from importlib import resources
from itertools import islice
from typing import BinaryIO

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from loaders import removal
from loaders.aicss import devices
from loaders.aicss import text as aicss_text
from loaders.aicss.clock import Clocks, Unreadable
from loaders.aicss.reading import Origin, Reading, reading
from loaders.aicss.records import (
    INCOMPLETE,
    NOT_AN_OBJECT,
    OUTSIDE,
    READERS,
    UNREADABLE_JSON,
    Record,
    format_of,
    header,
    in_a_list,
)
from loaders.aicss.statements import (
    ALREADY_LANDED,
    COLUMNS,
    COUNT_PRESENT,
    INSERT_READINGS,
    INSERT_REJECTED,
    MAKE_MONTHS,
    MARK_CONFLICTS,
    NOTIFY,
    REGISTER,
    SPLIT_TIES,
)
from loaders.aicss.text import lines
from loaders.errors import InvalidInput

STDIN = "-"
SAMPLE_LINES = 200


@dataclass(frozen=True)
class Result:
    """What became of a file's records; registros = leituras + repetidas + conflitos + ilegiveis.

    ressalvas: readings landed with a ``ressalva_horario``; ruido: bytes of noise taken out.
    """

    registros: int = 0
    leituras: int = 0
    repetidas: int = 0
    conflitos: int = 0
    ilegiveis: int = 0
    fora_da_faixa: int = 0
    ressalvas: int = 0
    ruido: int = 0
    already_landed: bool = False

    def __add__(self, other: "Result") -> "Result":
        """What became of both."""
        return Result(*map(sum, zip(self.counts, other.counts, strict=True)))

    @property
    def counts(self) -> tuple[int, ...]:
        """The counts in the order of ``COUNTS``."""
        return tuple(getattr(self, c) for c in COUNTS)


COUNTS = tuple(c.name for c in fields(Result) if c.type is int)


def prepare(conn: psycopg.Connection) -> None:
    """Create this source's tables where they are missing; connection.prepare must have run."""
    ddl = resources.files("loaders.aicss").joinpath("schema.sql").read_text(encoding="utf-8")
    definition = ddl.encode() + devices.SEED.read_bytes()
    version = f"esquema {hashlib.md5(definition, usedforsecurity=False).hexdigest()}"
    # No DDL when nothing changed: role intel_api lands readings, and may not create tables.
    done = conn.execute(
        "select obj_description(to_regclass('controle.aicss_arquivo'), 'pg_class')"
    ).fetchone()
    if done == (version,):
        return
    with conn.transaction():
        conn.execute("select pg_advisory_xact_lock(hashtextextended('intel_lead esquema', 0))")
        conn.execute(ddl)
        devices.fill(conn)
        conn.execute(sql.SQL("comment on table controle.aicss_arquivo is {}").format(version))


@dataclass
class Going:
    """What goes on from batch to batch of a stream: devices' clocks, how many records it had."""

    clocks: Clocks = field(default_factory=Clocks)
    order: int = 0


def land_records(
    conn: psycopg.Connection,
    records: Iterable[Record],
    *,
    file: str,
    origin: Origin,
    going: Going | None = None,
) -> Result:
    """Land records in the open transaction and count what became of them.

    Args:
        conn: in a transaction.
        records: what came.
        file: what raw calls where it came from.
        origin: what is known of all of them.
        going: of a stream; a batch of it without a reading is no error.

    Raises:
        InvalidInput: not one record of a file is a reading; the caller rolls back.
    """
    conn.execute(
        "create temp table aicss_chegada on commit drop as"
        " select *, 0::bigint as ordem, ''::text as motivo, '{}'::jsonb as registro"
        " from raw.aicss_leitura with no data"
    )
    reasons: Counter[str] = Counter()
    state = going or Going()
    first = state.order
    copied = f"copy aicss_chegada ({COLUMNS}, ordem, motivo, registro) from stdin"
    with conn.cursor().copy(copied) as out:
        for order, record in enumerate(records, first):
            values, reason = _row(record, order, origin, state.clocks)
            reasons[reason] += reason is not None
            text = None if reason is None else Jsonb({"texto": record.text.strip()[:2000]})
            out.write_row((*values, file, record.line, origin.recebido_em, order, reason, text))
            state.order += 1
    unreadable, total = sum(reasons.values()), state.order - first
    if unreadable == total and going is None:
        because = f" ({reasons.most_common(1)[0][0]})" if total else ""
        raise InvalidInput(f"{file}: nenhum dos {total} registros é uma leitura{because}")
    # Held until commit, so that leitura_id grows in commit order: dbt reads on from the greatest.
    conn.execute("select pg_advisory_xact_lock(hashtext('raw.aicss_leitura'))")
    conn.execute(SPLIT_TIES)
    conn.execute(MAKE_MONTHS)
    readings, outside, ressalvas = conn.execute(INSERT_READINGS).fetchone()
    conflicts = conn.execute(MARK_CONFLICTS).rowcount
    (present_ones,) = conn.execute(COUNT_PRESENT).fetchone()
    conn.execute(INSERT_REJECTED)
    if readings:
        conn.execute(NOTIFY)
    conn.execute(
        "insert into raw.aicss_dispositivo"
        " select distinct dispositivo_id, recebido_em from aicss_chegada"
        " where dispositivo_id is not null on conflict do nothing"
    )
    return Result(
        registros=total,
        leituras=readings,
        repetidas=present_ones - readings,
        conflitos=conflicts,
        ilegiveis=unreadable,
        fora_da_faixa=outside,
        ressalvas=ressalvas,
    )


def _row(
    record: Record, order: int, origin: Origin, clocks: Clocks
) -> tuple[tuple[object, ...], str | None]:
    """A record's reading as a row of ``COLUMNS``, or an empty row and the reason."""
    reason = record.reason
    if record.values is not None:
        try:
            parsed = reading(record, order, origin, clocks)
        except Unreadable as error:
            reason = str(error)
        else:
            line = vars(parsed) | {"outros": parsed.outros and Jsonb(parsed.outros)}
            return tuple(line.values()), None
    return (None,) * len(fields(Reading)), reason


def land(
    conn: psycopg.Connection,
    file: BinaryIO,
    *,
    name: str,
    device: str | None = None,
    default: str | None = None,
    start: datetime | None = None,
) -> Result:
    """Land one seekable file in one transaction; a file already landed changes nothing.

    Args:
        conn: connection in autocommit mode, no transaction open.
        file: the bytes; the shape is told by the content.
        name: what the ledger and the rejected rows call it.
        device: the device of records that name none.
        default: the device when neither record nor ``device`` says (the file's name).
        start: instant of the first record of a file without times.

    Raises:
        InvalidInput: nothing in the file is a reading.
    """
    recebido_em = datetime.now(UTC)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    key = (sha256, name, device, start)
    first_lines = [text for _, text in islice(lines(file), SAMPLE_LINES)]
    shape = format_of(first_lines)
    if shape is None:
        raise InvalidInput(
            f"{name}: não é JSON, CSV com cabeçalho conhecido, nem texto serial do AICSS"
        )
    with conn.transaction():
        # Standard input has no identity: the same bytes again may be new readings that arrive now.
        if name != STDIN and conn.execute(ALREADY_LANDED, key).rowcount:
            return Result(already_landed=True)
        origin = Origin(device or default, start, recebido_em)
        noise: Counter[str] = Counter()
        records_read = READERS[shape](lines(file, noise))
        try:
            result = land_records(conn, records_read, file=name, origin=origin)
        except Unreadable as error:  # what is wrong is the file's shape, not one record
            raise InvalidInput(f"{name}: {error}") from None
        result = replace(result, ruido=noise[aicss_text.NOISE])
        _check(conn, file, name, shape, result, first_lines)
        conn.execute(REGISTER, (*key, shape, recebido_em, *result.counts))
        sample = sha256 in removal.sample_hashes()
        example = None if sample else removal.take_example_away(conn)
    removal.finish(conn, example)
    return result


def _check(
    conn: psycopg.Connection,
    file: BinaryIO,
    name: str,
    shape: str,
    result: Result,
    first_lines: list[str],
) -> None:
    """Compare what became of the records with a count that the parser has no part in.

    Raises:
        InvalidInput: they differ; the caller rolls back.
    """
    if shape == "json":
        # Where an object is broken, where the next one begins is anybody's guess.
        broken, outros = conn.execute(
            "select count(*) filter (where motivo = any(%s)),"
            " count(*) filter (where motivo = any(%s)) from aicss_chegada",
            [[UNREADABLE_JSON, INCOMPLETE], [NOT_AN_OBJECT, OUTSIDE]],
        ).fetchone()
        if broken:
            return
        within = 1 if in_a_list(first_lines) else 0
        in_file = aicss_text.count_objects(file, within=within) + outros
    else:
        top_line = header(first_lines) if shape == "csv" else ""
        in_file = aicss_text.count_lines(file, top_line)
    counted = result.leituras + result.repetidas + result.conflitos + result.ilegiveis
    if in_file != counted:
        raise InvalidInput(
            f"{name}: o arquivo tem {in_file} registros e a leitura deu conta de {counted};"
            " nada mudou: guarde o arquivo e relate o defeito"
        )
