"""The collections: a statement of marts each, as tipg wants to be told of them.

Belongs here: which, their columns and keys. Not here: HTTP (service.py), what a filter may say
(filtering.py). tipg would look tables up by itself; here it finds what it is told of, and no more.
"""

from dataclasses import dataclass
from importlib import resources
from typing import Any

import psycopg
from fastapi import Request
from psycopg import sql
from pydantic import PrivateAttr
from tipg.collections import Catalog, Column, ItemList, PgCollection
from tipg.dependencies import CollectionList

from api import problems
from api.database import Catalogue
from api.listings.routes import visible

BOUNDS = [-74.0, -34.0, -28.0, 6.0]
_TYPES = {"double precision": "float8", "timestamp with time zone": "timestamptz"}
"""PostgreSQL's names → tipg's, where they differ."""


@dataclass(frozen=True)
class Source:
    """A collection to be.

    Attributes:
        relation: of marts, whose comments its columns have.
        key: the column that names a feature, and that pages follow.
    """

    title: str
    relation: str
    key: str


SOURCES = {
    "leads": Source("Leads de pessoas jurídicas da safra mais nova", "mart_lead", "uc_id"),
    "municipios": Source(
        "Municípios, com os totais do ano mais novo", "resumo_municipio", "municipio_id"
    ),
    "hexagonos": Source("Leads, energia e DIC por hexágono", "mart_hexagono", "id"),
    "alimentadores": Source(
        "O traçado dos alimentadores e a perda do ano", "mart_alimentador_mapa", "id"
    ),
}


class Collection(PgCollection):
    """A collection that is a statement of ours; it counts what it hands out, for the audit."""

    statement: str
    _request: Request | None = PrivateAttr(None)

    def asked_by(self, request: Request) -> "Collection":
        """The same for one request."""
        mine = self.model_copy()
        mine._request = request
        return mine

    def _from(self, function_parameters: dict[str, str] | None, params: list[Any]) -> str:
        return f"FROM ({self.statement}) AS c"

    async def features(self, *args: Any, **kwargs: Any) -> ItemList:  # noqa: ANN401 - tipg's
        """Rows as tipg finds them."""
        found = await super().features(*args, **kwargs)
        if self._request is not None:
            self._request.state.rows = len(found["items"])
        return found


def catalog(conn: psycopg.Connection, marts: Catalogue) -> Catalog:
    """All collections with the columns that their statements have now."""
    collections = {name: _collection(conn, marts, name) for name in SOURCES}
    return Catalog(collections=collections, last_updated=None)


def _statement(marts: Catalogue, name: str) -> str:
    if name == "leads":
        shown = sql.SQL(", ").join(map(sql.Identifier, [*visible(marts["mart_lead"]), "geom"]))
        query = sql.SQL("select {} from marts.mart_lead where geom is not null")
        return query.format(shown).as_string()
    return resources.files("api.ogc").joinpath(f"{name}.sql").read_text(encoding="utf-8").strip()


def _collection(conn: psycopg.Connection, marts: Catalogue, name: str) -> Collection:
    source, statement = SOURCES[name], _with_floats(conn, _statement(marts, name))
    known, columns = marts[source.relation], []
    for column_name, kind in _kinds(conn, statement).items():
        text = known[column_name].description if column_name in known else None
        column = {"name": column_name, "type": _TYPES.get(kind, kind), "description": text}
        columns.append(column | (_shape(conn, statement) if kind == "geometry" else {}))
    made = [Column(**column) for column in columns]
    return Collection(
        type="Table",
        id=name,
        title=source.title,
        description=source.title,
        table=name,
        schema="marts",
        statement=statement,
        table_columns=made,
        properties=[c for c in made if not c.is_geometry],
        id_column=next(c for c in made if c.name == source.key),
        geometry_column=next(c for c in made if c.is_geometry),
    )


def _kinds(conn: psycopg.Connection, statement: str) -> dict[str, str]:
    """The statement's columns, with PostgreSQL's names of their types."""
    asked = conn.execute(f"select * from ({statement}) as c limit 0").description
    names = conn.execute(
        "select o, format_type(o, null) from unnest(%s::oid[]) as o",
        [sorted({c.type_code for c in asked})],
    )
    of = dict(names.fetchall())
    return {c.name: of[c.type_code].rpartition(".")[2] for c in asked}


def _with_floats(conn: psycopg.Connection, statement: str) -> str:
    """The statement with its numeric columns as floats: tipg would write those as text."""
    columns = [
        sql.SQL("{0}::float8 as {0}" if kind == "numeric" else "{0}").format(sql.Identifier(name))
        for name, kind in _kinds(conn, statement).items()
    ]
    return f"select {sql.SQL(', ').join(columns).as_string()} from ({statement}) as s"


def _shape(conn: psycopg.Connection, statement: str) -> dict[str, Any]:
    """Kind and reference system; of an empty collection, degrees."""
    query = f"select geometrytype(geom), st_srid(geom) from ({statement}) as c limit 1"
    kind, srid = conn.execute(query).fetchone() or ("GEOMETRY", 4674)
    return {"geometry_type": kind, "srid": srid, "bounds": BOUNDS}


def one(request: Request, collectionId: str) -> Collection:  # noqa: N803 - OGC's name of it
    """The collection that a path names.

    Raises:
        Refusal: there is none of that name.
    """
    found = request.app.state.collection_catalog["collections"].get(collectionId)
    if found is None:
        detail = f"as coleções são: {', '.join(SOURCES)}"
        raise problems.Refusal(problems.NOT_FOUND, detail)
    return found.asked_by(request)


def every(request: Request) -> CollectionList:
    """All of them, on one page."""
    found = list(request.app.state.collection_catalog["collections"].values())
    return CollectionList(collections=found, matched=len(found), next=None, prev=None)
