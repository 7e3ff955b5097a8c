"""Landing of open data: a file to ``raw.aberto_<conjunto>``, whole or not at all, once.

Belongs here: the transaction, its bookkeeping, what a landing replaces. Not here: reading
(reading.py), fetching (client.py), tables (tables.py).
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.csv as pa_csv
from psycopg import sql
from psycopg.types.json import Jsonb

from loaders.bdgd.files import sha256_of
from loaders.bdgd.transfer import Rejected
from loaders.errors import DatabaseFailure, InvalidInput
from loaders.open_data import content, made_up, reading, values
from loaders.open_data.dataset import Dataset
from loaders.open_data.reading import Reading

_NO_HEADER = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
_MANY, _SHRUNK = 1000, 0.5
"""A file that has fewer than half of the rows of one of a thousand or more is taken for a part."""
_REPEATED = 0.1
"""Of the rows of a file: with more that are the same as another, it is one joined with itself."""
_GENERATED = "datgeracaoconjuntodados"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """A file to land, and where it came from."""

    path: Path
    name: str
    url: str | None = None
    last_modified: str | None = None
    made_up: bool = False


@dataclass
class Result:
    """What became of a file."""

    name: str
    landed: int = 0
    rejected: int = 0
    years: tuple[int, ...] = ()
    reasons: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    there_already: bool = False

    def __str__(self) -> str:
        """One line for a person."""
        if self.there_already:
            return f"{self.name}: já carregado, {self.landed} linhas, nada a fazer"
        parts = [f"{self.landed} linhas"]
        if self.years:
            parts.append(f"anos {', '.join(map(str, self.years))}")
        if self.rejected:
            why = "; ".join(f"{reason} ({n})" for reason, n in self.reasons.most_common(3))
            parts.append(f"{self.rejected} rejeitadas, guardadas em raw.rejeitado: {why}")
        return f"{self.name}: {', '.join(parts)}" + "".join(f"; {note}" for note in self.notes)


def land(
    conn: psycopg.Connection,
    dataset: Dataset,
    delivery: Delivery,
    *,
    force: bool = False,
    dry_run: bool = False,
) -> Result:
    """Land a file in one transaction; the same content again changes nothing.

    Args:
        conn: connection in autocommit, prepared.
        dataset: what the file is of.
        delivery: the file.
        force: land it though it is there, older or much shorter than what is there, or repeats
            its rows.
        dry_run: land it, say what became of it, and take it back.

    Raises:
        InvalidInput: the file is not this dataset whole; nothing changed.
        DatabaseFailure: PostgreSQL refused.
    """
    try:
        digest = sha256_of(delivery.path)
    except OSError as error:
        raise InvalidInput(f"{delivery.name}: não pode ser lido ({error.strerror})") from None
    if not force and (rows := _current(conn, dataset, digest)) is not None:
        return Result(delivery.name, landed=rows, there_already=True)
    with content.as_csv(delivery.path, dataset) as csv_file:
        found = reading.examine(csv_file, dataset, delivery.name)
        _refuse_part(conn, found, force=force or delivery.made_up)
        found.notes += ["nada mudou (--dry-run)"] if dry_run else []
        try:
            with conn.transaction(force_rollback=dry_run):
                conn.execute(
                    "select pg_advisory_xact_lock(hashtextextended(%s, 0))",
                    [f"intel_lead aberto {dataset.id}"],
                )
                return _write(conn, found, delivery, digest, force=force or delivery.made_up)
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            said = error.diag.message_primary or type(error).__name__
            raise DatabaseFailure(
                f"{delivery.name}: o PostgreSQL recusou ({said}); nada mudou"
            ) from None


def _current(conn: psycopg.Connection, dataset: Dataset, digest: str) -> int | None:
    """Rows of this very content, if it is what is there of its years."""
    row = conn.execute(
        "select a.linhas from controle.aberto_arquivo as a"
        " where conjunto = %(conjunto)s and sha256 = %(sha256)s and not exists ("
        "  select from controle.aberto_arquivo as b where b.conjunto = a.conjunto"
        "  and b.arquivo_id > a.arquivo_id and b.anos ?| array(select jsonb_object_keys(a.anos)))"
        " limit 1",
        {"conjunto": dataset.id, "sha256": digest},
    ).fetchone()
    return row[0] if row else None


def _refuse_part(conn: psycopg.Connection, found: Reading, *, force: bool) -> None:
    """A file cut between two lines looks whole; what is there knows better."""
    years = _year_keys(found)
    before = landed_rows(conn, found.dataset, years)
    if not force and before >= _MANY and found.census.records < _SHRUNK * before:
        raise InvalidInput(
            f"{found.name}: tem {found.census.records} linhas, o que está carregado tem {before};"
            " parece só uma parte: baixe de novo ou, se está certo, repita com --forcar"
        )


def landed_rows(
    conn: psycopg.Connection,
    dataset: Dataset,
    years: list[str] | None = None,
    *,
    made_up: bool = False,
) -> int:
    """Rows that are there of a dataset, as the bookkeeping has it; of some years, or of all.

    Made-up ones count where they are asked for.
    """
    (rows,) = conn.execute(
        "select coalesce(sum(linhas), 0) from (select distinct on (ano) value::bigint as linhas"
        " from controle.aberto_arquivo as a, jsonb_each(a.anos) as j (ano, value)"
        " where conjunto = %s and (%s or not inventado)"
        " and (%s::text[] is null or ano = any(%s)) order by ano, arquivo_id desc) as t",
        [dataset.id, made_up, years, years],
    ).fetchone()
    return int(rows)


def date_of(conn: psycopg.Connection, dataset: Dataset, url: str) -> str | None:
    """The date that the source gave to what landed last from an address."""
    row = conn.execute(
        "select last_modified from controle.aberto_arquivo where (conjunto, url) = (%s, %s)"
        " order by arquivo_id desc limit 1",
        [dataset.id, url],
    ).fetchone()
    return row[0] if row else None


def kept_rows(conn: psycopg.Connection, dataset: Dataset) -> int:
    """Rows that the raw table holds."""
    query = sql.SQL("select count(*) from {}").format(sql.Identifier("raw", dataset.table))
    return conn.execute(query).fetchone()[0]


def landed_at(conn: psycopg.Connection, dataset: Dataset) -> datetime | None:
    """When real data of a dataset landed last."""
    row = conn.execute(
        "select max(aterrissado_em) from controle.aberto_arquivo"
        " where conjunto = %s and not inventado",
        [dataset.id],
    ).fetchone()
    return row[0] if row else None


def _year_keys(found: Reading) -> list[str]:
    return sorted({str(y) for y in found.years.values()}) if found.dataset.by_year else [""]


def _years(found: Reading) -> tuple[int, ...]:
    return tuple(sorted(set(found.years.values())))


def _write(
    conn: psycopg.Connection, found: Reading, delivery: Delivery, digest: str, *, force: bool
) -> Result:
    dataset, result = found.dataset, Result(found.name, years=_years(found))
    table = sql.Identifier("raw", dataset.table)
    made_up.forget(conn, dataset)
    if dataset.by_year:
        before = _generated(conn, dataset, "ano_arquivo = any(%s)", [list(_years(found))])
    else:
        before = _generated(conn, dataset, "true", [])
    _make_room(conn, found)
    (number,) = conn.execute(
        "insert into controle.aberto_arquivo"
        " (conjunto, arquivo, url, sha256, last_modified, linhas, rejeitadas, inventado)"
        " values (%s, %s, %s, %s, %s, 0, 0, %s) returning arquivo_id",
        [
            dataset.id,
            delivery.name,
            delivery.url,
            digest,
            delivery.last_modified,
            delivery.made_up,
        ],
    ).fetchone()
    rejects: list[Rejected] = []
    with conn.cursor() as cursor:
        columns = ["arquivo_id", *reading.columns(dataset)]
        command = sql.SQL("copy {} ({}) from stdin (format csv)").format(
            table, sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with cursor.copy(command) as copy:
            for batch in reading.batches(found):
                copy.write(_csv(batch.data, number))
                rejects += batch.rejects
        result.landed = cursor.rowcount
    result.reasons.update(r.reason for r in rejects)
    result.rejected, result.notes = len(rejects), found.notes
    _refuse_empty(result)
    if result.landed + result.rejected != found.census.records:
        raise InvalidInput(
            f"{found.name}: o arquivo tem {found.census.records} linhas e a carga deu conta de"
            f" {result.landed + result.rejected}; nada mudou: guarde o arquivo e relate o defeito"
        )
    if not force:
        _refuse_older(before, _generated(conn, dataset, "arquivo_id = %s", [number]), found.name)
        _refuse_repeated(conn, found, number)
    _keep_rejected(conn, dataset, delivery.name, rejects)
    conn.execute(
        "update controle.aberto_arquivo set linhas = %s, rejeitadas = %s, observacoes = %s,"
        " anos = %s where arquivo_id = %s",
        [
            result.landed,
            result.rejected,
            "; ".join(found.notes) or None,
            Jsonb(_rows_by_year(conn, found, table, number, result)),
            number,
        ],
    )
    return result


def _generated(
    conn: psycopg.Connection, dataset: Dataset, which: str, parameters: list[object]
) -> date | None:
    """The newest day on which the source says that it made rows that are there."""
    if _GENERATED not in (column.raw for column in dataset.columns):
        return None
    query = f"select distinct {_GENERATED} from raw.{dataset.table} where {which}"
    texts = [text for (text,) in conn.execute(query, parameters) if text]
    return max((day for text in texts if (day := values.date_of(text))), default=None)


def _refuse_older(before: date | None, now: date | None, name: str) -> None:
    if before and now and now < before:
        raise InvalidInput(
            f"{name}: é de {now:%d/%m/%Y}, e o que está carregado, de {before:%d/%m/%Y}, é mais"
            " novo; para voltar atrás, repita com --forcar; nada mudou"
        )


def _refuse_repeated(conn: psycopg.Connection, found: Reading, number: int) -> None:
    """Rows that are the same in every column, of a dataset whose rows are summed."""
    if not found.dataset.summed:
        return
    names = ", ".join(column.raw for column in found.dataset.columns)
    query = f"""
        select coalesce(sum(vezes - 1), 0)::bigint from (
            select count(*) as vezes from raw.{found.dataset.table} where arquivo_id = %s
            group by {names} having count(*) > 1
        ) as t"""
    (repeated,) = conn.execute(query, [number]).fetchone()
    if repeated > _REPEATED * found.census.records:
        raise InvalidInput(
            f"{found.name}: {repeated} de {found.census.records} linhas são iguais a outra: parece"
            " o arquivo juntado a si mesmo; se está certo, repita com --forcar; nada mudou"
        )
    if repeated:
        found.notes.append(f"{repeated} linhas iguais a outra, que também contam")


def _make_room(conn: psycopg.Connection, found: Reading) -> None:
    """Take out what this file replaces: its years' rows, or all."""
    table = sql.Identifier("raw", found.dataset.table)
    if found.dataset.by_year:
        query = sql.SQL("delete from {} where ano_arquivo = any(%s)").format(table)
        conn.execute(query, [list(_years(found))])
    else:
        conn.execute(sql.SQL("delete from {}").format(table))


def _rows_by_year(
    conn: psycopg.Connection, found: Reading, table: sql.Identifier, number: int, result: Result
) -> dict[str, int]:
    if not found.dataset.by_year:
        return {"": result.landed}
    query = "select ano_arquivo, count(*) from {} where arquivo_id = %s group by 1"
    counted = dict(conn.execute(sql.SQL(query).format(table), [number]).fetchall())
    return {str(year): counted.get(year, 0) for year in result.years}


def _csv(data: pa.RecordBatch, number: int) -> bytes:
    whole = data.add_column(0, "arquivo_id", pa.array([number] * data.num_rows, pa.int64()))
    out = pa.BufferOutputStream()
    pa_csv.write_csv(whole, out, _NO_HEADER)
    return out.getvalue().to_pybytes()


def _refuse_empty(result: Result) -> None:
    if not result.landed:
        why = "; ".join(f"{reason} ({n})" for reason, n in result.reasons.most_common(3))
        raise InvalidInput(f"{result.name}: nenhuma linha serve: {why}; nada mudou")


def _keep_rejected(
    conn: psycopg.Connection, dataset: Dataset, name: str, rejects: list[Rejected]
) -> None:
    """Rejected rows of the file in the place of those of its earlier landing."""
    where = [dataset.table, name]
    conn.execute("delete from raw.rejeitado where (origem, arquivo) = (%s, %s)", where)
    with conn.cursor() as cursor:
        command = "copy raw.rejeitado (origem, arquivo, linha, motivo, registro) from stdin"
        with cursor.copy(command) as copy:
            for row in _rejected_rows(rejects):
                copy.write_row((*where, *row))


def _rejected_rows(rejects: list[Rejected]) -> Iterator[tuple[int, str, str]]:
    for reject in rejects:
        clean = {
            column: text.replace("\0", "\ufffd") if isinstance(text, str) else text
            for column, text in reject.record.items()
        }
        yield reject.row, reject.reason, json.dumps(clean)


def land_example(conn: psycopg.Connection) -> list[Result]:
    """Land what the example lacks of its made-up tariffs and continuity; real data stay."""
    return [
        land(conn, dataset, Delivery(file, f"exemplo/{file.name}", made_up=True))
        for dataset, file in made_up.FILES.items()
        if dataset in made_up.wanting(conn)
    ]
