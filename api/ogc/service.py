"""tipg's routes as a part of this API: its gate, its refusals, JSON alone, a pool of its own.

Belongs here: putting them together. Not here: collections, filters. Pages in HTML are left out,
which load scripts from outside, and CSV, which a spreadsheet would run (formats.py writes it).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import orjson
import psycopg
from asyncpg.exceptions import PostgresError, QueryCanceledError
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import State
from tipg import dependencies, errors
from tipg.factory import COMMON_CONFORMS, OGCFeaturesFactory
from tipg.model import Conformance
from tipg.resources.enums import MediaType

from api import problems
from api.auth.caller import allow
from api.auth.users import Role
from api.database import READER, STATEMENT_S, WAIT_S, Catalogue
from api.ogc import collections, filtering
from api.settings import Settings
from loaders import search_path

PATH = "/ogc"
_READERS = Depends(allow(Role.READER, Role.SALES, Role.PARTNER))


def create(conn: psycopg.Connection, marts: Catalogue, state: State) -> FastAPI:
    """The application to mount at ``PATH``; it shares the API's state.

    Args:
        conn: of role intel_api; asked for the collections' columns.
        marts: relations and their comments.
        state: of the API; the collections are noted in it.
    """
    app = FastAPI(
        title="intel-lead: OGC API – Features",
        version="1",
        openapi_url="/api",
        docs_url=None,
        redoc_url=None,
        dependencies=[_READERS, Depends(filtering.refuse_unknown)],
    )
    app.state = state
    state.collection_catalog = collections.catalog(conn, marts)
    postgis = search_path.postgis_schema(conn)
    state.ogc_path = ", ".join(["marts", *([postgis] if postgis else [])])
    factory = OGCFeaturesFactory(
        title=app.title,
        router_prefix=PATH,
        collection_dependency=collections.one,
        collections_dependency=collections.every,
    )
    app.dependency_overrides = {
        dependencies.filter_query: filtering.read,
        dependencies.bbox_query: filtering.box,
        dependencies.OutputType: lambda: MediaType.json,
        dependencies.QueryablesOutputType: lambda: MediaType.schemajson,
        dependencies.ItemsOutputType: lambda: MediaType.geojson,
        dependencies.ItemOutputType: lambda: MediaType.geojson,
    }

    # Before tipg's own, which says that there are pages in HTML.
    @app.get("/conformance", name="conformance")
    def conformance() -> Conformance:
        classes = [*COMMON_CONFORMS, *factory.conforms_to]
        return Conformance(conformsTo=[c for c in classes if not c.endswith("/html")])

    app.include_router(factory.router)
    problems.install(app)
    _install(app)
    return app


@asynccontextmanager
async def pool(state: State, settings: Settings) -> AsyncIterator[None]:
    """The connections that tipg works with, while the API runs: role intel_api, reading alone."""

    async def prepare(conn: asyncpg.Connection) -> None:
        for kind in ("json", "jsonb"):
            await conn.set_type_codec(
                kind, encoder=orjson.dumps, decoder=orjson.loads, schema="pg_catalog"
            )

    opened = asyncpg.create_pool(
        min_size=0,
        max_size=max(2, settings.connections // 2),
        init=prepare,
        timeout=WAIT_S,
        # Of the session, not by SET: what a connection is given back with is this again.
        server_settings={
            "application_name": "intel_lead api ogc",
            "role": READER,
            "default_transaction_read_only": "on",
            "statement_timeout": f"{STATEMENT_S}s",
            "search_path": state.ogc_path,
        },
    )
    async with opened as state.pool:
        yield


def _install(app: FastAPI) -> None:
    def answer(request: Request, kind: problems.Kind, detail: str) -> JSONResponse:
        return problems.answer(request.scope["state"].get("request_id"), kind, detail)

    @app.exception_handler(errors.TiPgError)
    @app.exception_handler(ValueError)
    def invalid(request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, errors.NotFound):
            return answer(request, problems.NOT_FOUND, "não há esta feição")
        return answer(request, problems.INVALID, "um parâmetro não serve para esta coleção")

    @app.exception_handler(PostgresError)
    def database(request: Request, error: PostgresError) -> JSONResponse:
        if isinstance(error, QueryCanceledError):
            return answer(request, problems.UPSTREAM, "a consulta passou do tempo")
        # 22 and 42: a value or an expression that the columns do not take.
        if (error.sqlstate or "")[:2] in ("22", "42"):
            return answer(request, problems.INVALID, "um valor não serve para a sua coluna")
        return answer(request, problems.UPSTREAM, "o banco não responde")

    @app.exception_handler(OSError)
    @app.exception_handler(asyncpg.InterfaceError)
    @app.exception_handler(TimeoutError)
    def no_database(request: Request, error: Exception) -> JSONResponse:
        return answer(request, problems.UPSTREAM, "o banco não responde")
