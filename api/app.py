"""The application: routes, pools, keys, put together.

Belongs here: what it is made of, in which order. Not here: any noun's rules. ``create_app`` asks
the database what marts has: one that does not fit is refused before the first request.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, Field

from api import database, logs, pages, panel, problems
from api.aicss import events
from api.aicss import routes as aicss_routes
from api.alerts import routes as alerts_routes
from api.analytics import consumption, reports
from api.auth import browser, passwords, signing
from api.auth import routes as auth_routes
from api.database import Catalogue
from api.leads import routes as leads_routes
from api.leads import saved
from api.listings import routes as listing_routes
from api.maps import routes as maps_routes
from api.news import routes as news_routes
from api.observe import Observed
from api.ogc import service as ogc
from api.operations import routes as operations_routes
from api.places import routes as places_routes
from api.settings import Settings
from api.sync import routes as sync_routes
from api.tracking import routes as tracking_routes

PREFIX = "/api/v1"
DESCRIPTION = """\
Leads, energia, qualidade e perdas da BDGD (ANEEL), de pessoas jurídicas e em agregados.

Entre por `POST /api/v1/sessoes`; envie `Authorization: Bearer …`. Listas vêm em JSON, CSV, Parquet
e, as que têm lugar, GeoJSON. Recusas são `application/problem+json` com um `type` que não muda.
"""


def create_app(settings: Settings | None = None) -> Observed:
    """The ASGI application, on the database of PG*.

    Raises:
        DatabaseFailure: the database does not answer or does not fit; says what to type.
        InvalidInput: the file of keys cannot be read.
    """
    logs.configure()
    settings = settings or Settings()
    if not settings.keys.exists():
        signing.rotate(settings.keys)
    passwords.nobodys()
    with database.connect_as(database.READER) as conn:
        marts = database.catalogue(conn)
        pools = database.pools(settings.connections)

        @asynccontextmanager
        async def life(app: FastAPI) -> AsyncIterator[None]:
            pools.open()
            async with ogc.pool(app.state, settings), app.state.notices.running():
                yield
            pools.close()

        app = _made(settings, marts, pools, life)
        app.mount(ogc.PATH, ogc.create(conn, marts, app.state))
    return Observed(app, app.state)


Life = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def _made(settings: Settings, marts: Catalogue, pools: database.Pools, life: Life) -> FastAPI:
    app = FastAPI(
        title="intel-lead",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        # Names of a generated client's functions.
        generate_unique_id_function=lambda route: re.sub(r"\W+", "_", route.name),
        lifespan=life,
    )
    app.state.settings, app.state.pools, app.state.marts = settings, pools, marts
    app.state.keys, app.state.limiter = signing.Keys(settings.keys), auth_routes.Limiter(pools.app)
    app.state.notices = events.Notices()
    app.state.keys.all()
    problems.install(app)
    routes = APIRouter(prefix=PREFIX, responses={"4XX": problems.DOCUMENTED})
    for router in (
        auth_routes.router,
        browser.router,
        auth_routes.users_router,
        news_routes.router,
        leads_routes.router(marts),
        saved.router,
        tracking_routes.router,
        tracking_routes.of_many,
        places_routes.router,
        maps_routes.router,
        consumption.router(marts),
        reports.router,
        alerts_routes.router,
        aicss_routes.router,
        events.router,
        sync_routes.router,
        operations_routes.router,
        listing_routes.router(marts),
    ):
        routes.include_router(router)
    app.include_router(routes)
    _add_health(app)
    pages.install(app, PREFIX)
    panel.install(app, settings.panel)
    _speak_portuguese(app)
    return app


def _speak_portuguese(app: FastAPI) -> None:
    """Keep models' docstrings, and FastAPI's own words, out of what users read."""
    made = app.openapi

    def specification() -> dict[str, Any]:
        found = made()
        for schema in found["components"]["schemas"].values():
            schema.pop("description", None)
        for methods in found["paths"].values():
            for route in methods.values():
                for answer in route["responses"].values():
                    if answer["description"] == "Successful Response":
                        answer["description"] = "Resposta"
        return found

    app.openapi = specification  # type: ignore[method-assign]


class Health(BaseModel):
    """That all is well; else there is a problem instead."""

    status: str = Field("ok", serialization_alias="situacao", examples=["ok"])


def _add_health(app: FastAPI) -> None:
    @app.get(f"{PREFIX}/saude", summary="Se a API e o banco respondem", tags=["Administração"])
    def health(request: Request) -> Health:
        """Sem credencial: só diz se responde."""
        with request.app.state.pools.reading.connection() as conn:
            conn.execute("select")
        return Health()
