"""Which tables and columns are exported, of which safras, and how many rows each has.

Belongs here: questions to the catalogue and the counts. Not here: rows (make.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from exports.columns import Column
from loaders.companies.contacts import CONTACTS
from loaders.errors import DatabaseFailure, InvalidInput
from loaders.safra import listed

READER = "bi_leitor"
"""Whose rights an export has, wherever this login may act as that role."""
WHOLE, OTHERS = "tudo", "outras"
"""Names of a file: of a table that is not split, and of the rows that are of no published safra."""

_COLUMNS = """
    select n.nspname, c.relname, coalesce(obj_description(c.oid, 'pg_class'), ''),
        a.attname, format_type(a.atttypid, a.atttypmod), format_type(a.atttypid, null),
        coalesce(col_description(c.oid, a.attnum), '')
    from pg_class as c
    inner join pg_namespace as n on c.relnamespace = n.oid
    inner join pg_attribute as a on c.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
    where n.nspname = any(%(schemas)s) and c.relkind in ('r', 'p', 'v', 'm')
        and has_schema_privilege(%(role)s, n.oid, 'usage')
        and has_column_privilege(%(role)s, c.oid, a.attnum, 'select')
    order by n.nspname, c.relname, a.attnum"""
_PUBLISHED = """
    select p.distribuidora_id, p.ano, p.distribuidora, p.publicada_em, max(c.import_id)
    from marts.safra_publicada as p
    left join marts.mart_safra_camada as c using (distribuidora_id, ano)
    group by 1, 2, 3, 4
    order by 1, 2"""
_OWNER = """
    select pg_has_role(current_user, datdba, 'usage') from pg_database
    where datname = current_database()"""


@dataclass(frozen=True)
class Published:
    """A safra as readers see it, and which import and publication that is."""

    distribuidora_id: int
    ano: int
    distribuidora: str
    publicada_em: datetime
    import_id: int | None

    @property
    def key(self) -> str:
        """As people type it."""
        return f"{self.distribuidora_id}-{self.ano}"


@dataclass(frozen=True)
class Part:
    """A file to write: the rows of one safra, of no published safra, or of the whole table."""

    name: str
    rows: int
    safra: Published | None = None


@dataclass(frozen=True)
class Relation:
    """A table or view with the columns that leave the database."""

    schema: str
    name: str
    description: str
    columns: tuple[Column, ...]

    @property
    def identifier(self) -> sql.Identifier:
        """Its qualified name."""
        return sql.Identifier(self.schema, self.name)

    @property
    def is_split(self) -> bool:
        """Whether each safra's rows are a file."""
        return {"ano", "distribuidora_id"} <= {column.name for column in self.columns}


def reader(conn: psycopg.Connection) -> str:
    """The role whose rights the export has: bi_leitor, or this login where it may not act so."""
    query = "select case when pg_has_role(to_regrole(%s), 'member') then %s else current_user end"
    return conn.execute(query, [READER, READER]).fetchone()[0]


def refuse_but_owner(conn: psycopg.Connection) -> None:
    """Natural persons' units leave the database by its owner's hand alone.

    Raises:
        InvalidInput: this login is somebody else.
    """
    if not conn.execute(_OWNER).fetchone()[0]:
        raise InvalidInput(
            f"a exportação completa traz as unidades de pessoas físicas, e {conn.info.user} não é o"
            " dono deste banco: sem COMPLETO, ou peça a ele"
        )


def published(conn: psycopg.Connection, keys: Sequence[str] = ()) -> list[Published]:
    """The published safras, or these of them.

    Raises:
        InvalidInput: none is published, or not one of these.
        DatabaseFailure: this login may not read marts.
    """
    try:
        if conn.execute("select to_regclass('marts.safra_publicada') is null").fetchone()[0]:
            raise InvalidInput("não há safra publicada: antes, make run")
        every = {one.key: one for one in (Published(*row) for row in conn.execute(_PUBLISHED))}
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseFailure(
            f"{conn.info.user} não lê o esquema marts ({error.diag.message_primary}): o dono do"
            " banco digita make roles"
        ) from None
    if not every:
        raise InvalidInput("não há safra publicada: antes, make run")
    if unknown := [key for key in keys if key not in every]:
        raise InvalidInput(f"não está publicada {listed(unknown)}; há {listed([*every], most=20)}")
    return [every[key] for key in dict.fromkeys(keys)] if keys else [*every.values()]


def relations(conn: psycopg.Connection, schemas: Sequence[str], role: str) -> list[Relation]:
    """Tables and views of these schemas with the columns that a role reads, contacts left out."""
    found: dict[tuple[str, str, str], list[Column]] = {}
    values = {"schemas": [*schemas], "role": role}
    for *relation, name, declared, plain, text in conn.execute(_COLUMNS, values):
        if name not in CONTACTS:
            kind = declared if plain.endswith("geometry") else plain
            found.setdefault(tuple(relation), []).append(Column(name, kind, text))
    return [Relation(*relation, tuple(columns)) for relation, columns in found.items()]


def parts(
    conn: psycopg.Connection, relation: Relation, safras: Sequence[Published], *, every: bool
) -> list[Part]:
    """The files of a table, with the rows that PostgreSQL counts for each.

    ``every``: no safra was chosen, so that rows of none of them are exported too.
    """
    if not relation.is_split:
        query = sql.SQL("select count(*) from {}").format(relation.identifier)
        return [Part(WHOLE, conn.execute(query).fetchone()[0])]
    if every:
        query = sql.SQL("select distribuidora_id, ano, count(*) from {} group by 1, 2")
        counts = _counts(conn.execute(query.format(relation.identifier)))
    else:
        counts = {}
        query = sql.SQL("select %s, %s, count(*) from {} where ano = %s and distribuidora_id = %s")
        for one in safras:
            values = [one.distribuidora_id, one.ano, one.ano, one.distribuidora_id]
            counts |= _counts(conn.execute(query.format(relation.identifier), values))
    there = [(one, counts.pop((one.distribuidora_id, one.ano), 0)) for one in safras]
    found = [Part(one.key, rows, one) for one, rows in there if rows]
    others = sum(counts.values())
    # A table without a row is a file too: its columns are known.
    return [*found, Part(OTHERS, others)] if others or not found else found


def _counts(rows: psycopg.Cursor) -> Mapping[tuple[int, int], int]:
    return {(distribuidora, ano): n for distribuidora, ano, n in rows}


def condition(part: Part, safras: Sequence[Published]) -> sql.Composable:
    """The rows of a part, as the end of a query: literals, for the driver takes no parameters."""
    if part.safra:
        return sql.SQL(" where ano = {} and distribuidora_id = {}").format(
            sql.Literal(part.safra.ano), sql.Literal(part.safra.distribuidora_id)
        )
    if part.name == WHOLE:
        return sql.SQL("")
    pairs = sql.SQL(", ").join(
        sql.SQL("({}, {})").format(sql.Literal(one.ano), sql.Literal(one.distribuidora_id))
        for one in safras
    )
    return sql.SQL(" where ((ano, distribuidora_id) in ({})) is not true").format(pairs)
