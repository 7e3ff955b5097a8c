"""An export from the first question to the folder: one moment of the warehouse, row for row.

Belongs here: the order of the steps, streaming, what is checked. Not here: which tables
(relations.py), types (columns.py), the folder (place.py).
"""

import hashlib
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from exports import columns as of_files
from exports import place, relations
from exports.licence import ADDRESS, ATTRIBUTION, NAME
from exports.relations import Part, Published, Relation
from loaders import search_path
from loaders.errors import DatabaseFailure
from loaders.figures import number
from loaders.snapshot import snapshot
from server.dump import sync, write

BATCH_BYTES = 16 << 20
"""What the driver holds of a table at a time; a row group of the file."""
_ENDLESS = (
    "set statement_timeout = 0",
    "set idle_in_transaction_session_timeout = 0",
    "set idle_session_timeout = 0",
)
"""A reader's limits are for queries that somebody waits for."""
log = logging.getLogger("exports")


@dataclass(frozen=True)
class Plan:
    """What would be written, of one moment.

    Attributes:
        role: with whose rights the rows are read.
        tables: relation → its files.
    """

    role: str
    safras: Sequence[Published]
    tables: Mapping[Relation, Sequence[Part]]
    postgis: str | None

    @property
    def rows(self) -> int:
        """All rows of all files."""
        return sum(part.rows for found in self.tables.values() for part in found)


def plan(conn: psycopg.Connection, keys: Sequence[str], *, complete: bool) -> Plan:
    """Ask what there is, within a snapshot.

    Raises:
        InvalidInput: a safra is not published, or a complete export is not the owner's.
        DatabaseFailure: this login may not read marts.
    """
    if complete:
        relations.refuse_but_owner(conn)
        (role,) = conn.execute("select current_user").fetchone()
        schemas = ["intel_lead", "marts"]
    else:
        role, schemas = relations.reader(conn), ["marts"]
    safras = relations.published(conn, keys)
    tables = {
        relation: relations.parts(conn, relation, safras, every=not keys)
        for relation in relations.relations(conn, schemas, role)
    }
    return Plan(role, safras, tables, search_path.postgis_schema(conn))


@contextmanager
def planned(
    conn: psycopg.Connection, keys: Sequence[str], *, complete: bool
) -> Iterator[tuple[Plan, str]]:
    """A plan and the name of the snapshot that it is of; nothing is published meanwhile."""
    for setting in _ENDLESS:
        conn.execute(setting)
    with snapshot(conn):
        (name,) = conn.execute("select pg_export_snapshot()").fetchone()
        yield plan(conn, keys, complete=complete), name


def export(
    conn: psycopg.Connection, dest: Path, keys: Sequence[str] = (), *, complete: bool = False
) -> Path:
    """Write the tables of marts, or with ``complete`` those of intel_lead too, into ``dest/atual``.

    Returns:
        ``dest/atual``: complete, with its manifest, on the disk.

    Raises:
        InvalidInput: no such safra, not the owner, or dest cannot be written.
        DatabaseFailure: the server is away, or a column cannot be read.
    """
    start = time.monotonic()
    with planned(conn, keys, complete=complete) as (planned_now, moment):
        size = _write(planned_now, moment, dest, complete=complete)
    log.info(
        "%s tabelas, %s linhas, %s MB em %s s, lidas como %s",
        *(len(planned_now.tables), number(planned_now.rows), number(size / 1e6, 1)),
        *(number(time.monotonic() - start, 1), planned_now.role),
    )
    return dest / place.CURRENT


def _write(planned_now: Plan, moment: str, dest: Path, *, complete: bool) -> int:
    """All files and their manifest; how many bytes the files have."""
    before = place.manifest_of(dest)
    with place.written(dest, private=complete) as folder, rows_of(planned_now.role, moment) as read:
        resources = []
        for relation, found in planned_now.tables.items():
            start = time.monotonic()
            files = [_file(folder, planned_now, relation, part, read) for part in found]
            resources.append(_resource(relation, files))
            log.info(
                "%-45s %3d %s %15s linhas %9s MB %6s s",
                *(f"{relation.schema}.{relation.name}", len(files)),
                "arquivo " if len(files) == 1 else "arquivos",
                number(sum(part.rows for part in found)),
                number(sum(file["bytes"] for file in files) / 1e6, 1),
                number(time.monotonic() - start, 1),
            )
        told = _manifest(planned_now, resources, complete=complete)
        text = json.dumps(told, ensure_ascii=False, indent=1)
        write(folder / place.MANIFEST, f"{text}\n")
        for loss in lost(before, told):
            log.warning("%s", loss)
    return sum(file["bytes"] for resource in resources for file in resource["arquivos"])


@contextmanager
def rows_of(role: str, moment: str) -> Iterator[adbc.Cursor]:
    """A cursor of Arrow's driver in a psycopg connection's snapshot, with a role's rights."""
    try:
        with (
            closing(adbc.connect("postgresql://")) as conn,
            closing(
                conn.cursor(
                    adbc_stmt_kwargs={"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)}
                )
            ) as cursor,
        ):
            cursor.execute("set transaction isolation level repeatable read, read only")
            cursor.execute(f"set transaction snapshot '{moment}'")
            for setting in (*_ENDLESS, "set extra_float_digits = 1"):
                cursor.execute(setting)
            cursor.execute(sql.SQL("set role {}").format(sql.Identifier(role)).as_string())
            yield cursor
    except adbc.Error as error:
        raise DatabaseFailure(" ".join(str(error).split())) from None


def _file(
    folder: Path, planned_now: Plan, relation: Relation, part: Part, read: adbc.Cursor
) -> dict[str, Any]:
    """Write one file; what the manifest says of it."""
    path = folder / relation.schema / relation.name / f"{part.name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"tabela": f"{relation.schema}.{relation.name}", "descricao": relation.description}
    if part.safra:
        published_at = part.safra.publicada_em.isoformat()
        about |= {"safra": part.safra.key, "publicada_em": published_at}
    schema = of_files.schema(relation.columns, about)
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in _batches(planned_now, relation, part, read):
            writer.write_batch(_checked(relation, batch, schema))
            rows += batch.num_rows
    if rows != part.rows:
        raise DatabaseFailure(
            f"{relation.schema}.{relation.name}, {part.name}: {rows} linhas lidas, {part.rows}"
            " contadas pelo banco; a exportação de antes ficou como estava: repita, e se voltar, é"
            " um defeito"
        )
    sync(path)
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return {
        "path": str(path.relative_to(folder)),
        "safra": part.safra.key if part.safra else None,
        "linhas": rows,
        "bytes": path.stat().st_size,
        "hash": f"sha256:{digest}",
    }


def _batches(
    planned_now: Plan, relation: Relation, part: Part, read: adbc.Cursor
) -> Iterator[pa.RecordBatch]:
    """The rows of a part, streamed by COPY; of a part without rows, none."""
    if not part.rows:
        return
    names = sql.SQL(", ").join(of_files.selected(c, planned_now.postgis) for c in relation.columns)
    where = relations.condition(part, planned_now.safras)
    query = sql.SQL("select {} from {}{}").format(names, relation.identifier, where)
    try:
        read.execute(query.as_string())
        with read.fetch_record_batch() as reader:
            yield from reader
    except (adbc.Error, pa.ArrowException, OSError) as error:  # OSError: the driver's, midway
        raise DatabaseFailure(
            f"{relation.schema}.{relation.name} não se lê ({' '.join(str(error).split())}); nada"
            " mudou na exportação de antes"
        ) from None


def _checked(relation: Relation, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch in the file's schema: each column of the type that the catalogue promised."""
    for ours, theirs in zip(schema, batch.schema, strict=True):
        if ours.name != theirs.name or ours.type != theirs.type:
            raise DatabaseFailure(
                f"{relation.schema}.{relation.name}: a coluna {ours.name} devia vir como"
                f" {ours.type} e veio {theirs.name} {theirs.type}: o armazém mudou de esquema;"
                " rode make build e repita"
            )
    return pa.RecordBatch.from_arrays(batch.columns, schema=schema)


# The manifest -------------------------------------------------------------------------------------


_FRICTIONLESS = {
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "double precision": "number",
    "real": "number",
    "numeric": "number",
    "boolean": "boolean",
    "date": "date",
    "timestamp with time zone": "datetime",
    "timestamp without time zone": "datetime",
}


def _resource(relation: Relation, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A table as a resource of a Frictionless package; ``arquivos`` has what that has no word for.

    ``type`` is Frictionless's, ``tipo`` PostgreSQL's.
    """
    return {
        "name": f"{relation.schema}.{relation.name}",
        "description": relation.description,
        "path": [file["path"] for file in files],
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "linhas": sum(file["linhas"] for file in files),
        "schema": {
            "fields": [
                {
                    "name": column.name,
                    "type": "array"
                    if column.type.endswith("[]")
                    else _FRICTIONLESS.get(column.type, "any" if column.is_geometry else "string"),
                    "tipo": column.type,
                    "description": column.description,
                }
                for column in relation.columns
            ]
        },
        "arquivos": [*files],
    }


def _manifest(
    planned_now: Plan, resources: Sequence[Mapping[str, Any]], *, complete: bool
) -> dict[str, Any]:
    return {
        "name": "intel-lead",
        "title": "Tabelas do armazém, por safra",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "licenses": [{"name": NAME, "path": ADDRESS}],
        "attribution": ATTRIBUTION,
        "completa": complete,
        "lida_como": planned_now.role,
        "safras": [
            {
                "safra": one.key,
                "distribuidora": one.distribuidora,
                "publicada_em": one.publicada_em.isoformat(),
                "import_id": one.import_id,
            }
            for one in planned_now.safras
        ],
        "resources": [*resources],
    }


def lost(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What a reader of the export before misses in this one: tables, columns, types."""
    found = []
    fields = {r["name"]: r["schema"]["fields"] for r in now.get("resources", ())}
    for resource in before.get("resources", ()):
        name = resource["name"]
        if name not in fields:
            found.append(f"{name} não está mais na exportação")
            continue
        types = {field["name"]: field["tipo"] for field in fields[name]}
        for field in resource["schema"]["fields"]:
            if (kind := types.get(field["name"])) is None:
                found.append(f"{name}: a coluna {field['name']} não está mais na exportação")
            elif kind != field["tipo"]:
                found.append(f"{name}: a coluna {field['name']} era {field['tipo']} e é {kind}")
    return found
