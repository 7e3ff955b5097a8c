"""A route for each list of the catalogue.

Belongs here: making routes. Not here: any list's own rules (catalogue.py says them as data).
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from psycopg import sql

from api.auth.caller import Caller, Insider, Reader
from api.database import Catalogue, Column
from api.examples import example_of
from api.formats import MEDIA, Form
from api.listings import query
from api.listings.answer import Answering, respond
from api.listings.catalogue import LISTINGS, Listing
from api.listings.parameters import Paging, page_model, parameters
from loaders.companies.contacts import CONTACTS


def visible(columns: dict[str, Column], caller: Caller | None = None) -> dict[str, Column]:
    """The columns that a caller sees (None: that anybody may see); geometry is a form's matter."""
    hidden = frozenset() if caller is None or caller.sees_contacts else CONTACTS
    return {n: c for n, c in columns.items() if n not in hidden and c.type != "geometry"}


def responses(
    path: str,
    columns: dict[str, Column],
    *,
    geometry: bool,
    made: dict[str, Column] | None = None,
) -> dict[int, Any]:
    """What the specification says of a list's answers; ``made``: columns that may be there."""
    others = [Form.CSV, Form.XLSX, Form.PARQUET, *([Form.GEOJSON] if geometry else [])]
    # JSON first: what makes clients takes the first form that it knows.
    content = {MEDIA[Form.JSON]: {}}
    for form in others:
        content[MEDIA[form]] = {"schema": {"type": "object" if form is Form.GEOJSON else "string"}}
    return {
        200: {
            "model": page_model(path, visible(columns), made or {}, example_of(path)),
            "description": "Uma página",
            "content": content,
        },
        304: {"description": "O que já se tem (If-None-Match) continua o publicado"},
    }


def router(catalogue: Catalogue) -> APIRouter:
    """Routes of all lists."""
    made = APIRouter()
    for listing in LISTINGS:
        columns = catalogue[listing.relation]
        more = {name: one.column for name, one in listing.made.items()}
        made.add_api_route(
            f"/{listing.path}",
            _endpoint(listing, columns | more),
            summary=listing.summary,
            tags=[listing.tag],
            name=listing.path,
            responses=responses(listing.path, columns, geometry=bool(listing.geometry), made=more),
            response_class=Response,
        )
    return made


def _endpoint(listing: Listing, columns: dict[str, Column]) -> Any:  # noqa: ANN401 - a route
    model = parameters(listing, columns)
    how = Answering(listing.path.replace("/", "_"), columns, listing.by_safra)

    who = Reader if listing.partners else Insider

    def read(request: Request, caller: who, asked: Annotated[model, Query()]) -> Response:
        return respond(request, caller, question(listing, columns, caller, asked), asked, how)

    return read


def question(
    listing: Listing, columns: dict[str, Column], caller: Caller, asked: Paging
) -> query.Question:
    """What is asked of a list, with the columns that this caller sees."""
    given = {c: getattr(asked, listing.parameter(c)) for c in listing.filters}
    values = {c: v for c, v in given.items() if v}
    order = getattr(asked, "ordem", None)
    return query.Question(
        relation=listing.relation,
        columns=[name for name in visible(columns, caller) if name not in listing.made],
        key=listing.key,
        nullable=listing.nullable,
        conditions=[query.equal(c, columns[c].type) for c in values],
        values=values,
        sort=query.Sort(order.lstrip("-"), order.startswith("-")) if order else None,
        geometry=listing.geometry,
        made={name: sql.SQL(one.sql) for name, one in listing.made.items()},
    )
