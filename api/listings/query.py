"""One page of a relation as one statement: conditions, order, keyset.

Belongs here: putting SQL together from named pieces, values always bound. Not here: HTTP, which
relation. Pages follow one another by the last row's sort value and key, never by a number of rows.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from api import problems
from api.formats import GEOMETRY, Row

_POSITION = "_posicao"


@dataclass(frozen=True)
class Sort:
    """What a page is ordered by before the key.

    Attributes:
        filled: no row that matches lacks it, so that an index of it can be read in its order.
    """

    column: str
    descending: bool
    filled: bool = False


@dataclass(frozen=True)
class Question:
    """Rows that are asked for.

    Attributes:
        relation: of schema marts.
        columns: what of a row is shown.
        key: columns that tell every row apart; ``nullable`` ones of them may be null.
        conditions: SQL with the names of ``values``; all must hold.
        geometry: the column to show as GeoJSON, or none.
        made: columns shown after those, each by its SQL over row ``l``.
    """

    relation: str
    columns: Sequence[str]
    key: Sequence[str]
    nullable: frozenset[str] = frozenset()
    conditions: Sequence[sql.Composable] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    sort: Sort | None = None
    geometry: str | None = None
    made: Mapping[str, sql.Composable] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """All columns of an answer, in their order."""
        return [*self.columns, *self.made]


@dataclass(frozen=True)
class Page:
    """Rows, and where the next page begins (None: there is none)."""

    rows: list[Row]
    cursor: str | None


def page(conn: psycopg.Connection, question: Question, limit: int, cursor: str | None) -> Page:
    """The rows after a cursor.

    Raises:
        Refusal: the cursor is none of this question's.
    """
    position = _read(cursor, question) if cursor else None
    text, values = statement(question, limit + 1, position)
    try:
        rows = conn.cursor(row_factory=dict_row).execute(text, values).fetchall()
    except psycopg.errors.DataError:
        raise problems.Refusal(problems.INVALID, "o cursor ou um filtro não serve") from None
    positions = [row.pop(_POSITION) for row in rows]
    more = len(rows) > limit
    return Page(rows[:limit], _write(positions[limit - 1], question) if more else None)


def total(conn: psycopg.Connection, question: Question) -> int:
    """How many rows match, over all pages."""
    counting = sql.SQL("select count(*) from {} as l where {}")
    statement = counting.format(sql.Identifier("marts", question.relation), _all(question))
    return conn.execute(statement, dict(question.values)).fetchone()[0]


def equal(column: str, kind: str) -> sql.Composed:
    """The condition that a column is one of ``values[column]``; enums are compared as text."""
    name = sql.SQL("l.{}").format(sql.Identifier(column))
    typed = sql.SQL("{}::text").format(name) if kind.endswith("_enum") else name
    return sql.SQL("{} = any({})").format(typed, sql.Placeholder(column))


def _all(question: Question, *more: sql.Composable) -> sql.Composable:
    return sql.SQL(" and ").join([sql.SQL("true"), *question.conditions, *more])


def _keys(question: Question) -> list[sql.Composed]:
    return [
        sql.SQL("coalesce(l.{}::text, '')" if k in question.nullable else "l.{}").format(
            sql.Identifier(k)
        )
        for k in question.key
    ]


def statement(
    question: Question, limit: int, position: list[str | None] | None = None
) -> tuple[sql.Composed, dict[str, Any]]:
    """The SQL of a page and its values; so many rows, after a position."""
    keys, sort, values = _keys(question), question.sort, {**question.values, "_limite": limit}
    shown = [sql.SQL("l.{}").format(sql.Identifier(c)) for c in question.columns]
    shown += [sql.SQL("{} as {}").format(q, sql.Identifier(c)) for c, q in question.made.items()]
    if question.geometry:
        # Seven decimals are a centimetre.
        geometry = sql.SQL("st_asgeojson(l.{}, 7)::json as {}")
        names = sql.Identifier(question.geometry), sql.Identifier(GEOMETRY)
        shown.append(geometry.format(*names))
    order = [sql.SQL("{} asc").format(k) for k in keys]
    places = list(keys)
    if sort:
        by = sql.SQL("l.{}").format(sql.Identifier(sort.column))
        direction = "desc" if sort.descending else "asc"
        nulls = "" if sort.filled else " nulls last"
        order.insert(0, sql.SQL("{} {}").format(by, sql.SQL(direction + nulls)))
        places.insert(0, by)
    places = [sql.SQL("{}::text").format(p) for p in places]
    shown.append(sql.SQL("array[{}] as {}").format(_joined(places), sql.Identifier(_POSITION)))
    conditions = []
    if position is not None:
        values |= {f"_p{i}": value for i, value in enumerate(position)}
        conditions.append(_after(keys, sort, position))
    text = sql.SQL("select {} from {} as l where {} order by {} limit {}").format(
        _joined(shown),
        sql.Identifier("marts", question.relation),
        _all(question, *conditions),
        _joined(order),
        sql.Placeholder("_limite"),
    )
    return text, values


def _joined(parts: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def _after(
    keys: Sequence[sql.Composable], sort: Sort | None, position: Sequence[str | None]
) -> sql.Composed:
    first = 1 if sort else 0
    bound = [sql.Placeholder(f"_p{i}") for i in range(first, len(position))]
    later = sql.SQL("({}) > ({})").format(_joined(keys), _joined(bound))
    if sort is None:
        return later
    by = sql.SQL("l.{}").format(sql.Identifier(sort.column))
    if position[0] is None:
        return sql.SQL("{} is null and {}").format(by, later)
    beyond, at = sql.SQL("<" if sort.descending else ">"), sql.Placeholder("_p0")
    here = sql.SQL("{by} {beyond} {at} or ({by} = {at} and {later})").format(
        by=by, beyond=beyond, at=at, later=later
    )
    if sort.filled:
        return sql.SQL("{} {}= {} and ({})").format(by, beyond, at, here)
    return sql.SQL("({} or {} is null)").format(here, by)


def _write(position: list[str | None], question: Question) -> str:
    order = [question.sort.column, question.sort.descending] if question.sort else []
    text = json.dumps([order, position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str, question: Question) -> list[str | None]:
    order = [question.sort.column, question.sort.descending] if question.sort else []
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        found, position = json.loads(text)
        right = found == order and len(position) == len(question.key) + bool(question.sort)
        given = position[1:] if question.sort and position[0] is None else position
        if right and all(isinstance(p, str) and b"\0" not in p.encode() for p in given):
            return position
    except (ValueError, TypeError, LookupError, RecursionError):
        pass
    detail = "o cursor não é desta lista e desta ordem: comece sem ele"
    raise problems.Refusal(problems.INVALID, detail)
