"""/api/v1/docs: the specification to read and to try, without a word from outside.

Belongs here: that page and its files, which fastapi-offline brings. Not here: what it shows.
"""

from importlib import resources

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

ONLY_OURS = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline';"
    " script-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
)
"""Swagger UI writes styles and one script into the page; nothing may come from another host."""


def install(app: FastAPI, prefix: str) -> None:
    """Add the page at ``prefix``/docs, with its files below it."""
    files = f"{prefix}/docs/arquivos"
    folder = str(resources.files("fastapi_offline") / "static")
    router = APIRouter()

    # The name by which tipg's first page finds it.
    @router.get(f"{prefix}/docs", name="swagger_ui_html", include_in_schema=False)
    def page() -> HTMLResponse:
        shown = get_swagger_ui_html(
            openapi_url=f"{prefix}/openapi.json",
            title=app.title,
            swagger_js_url=f"{files}/swagger-ui-bundle.js",
            swagger_css_url=f"{files}/swagger-ui.css",
            swagger_favicon_url="data:,",
            swagger_ui_parameters={"validatorUrl": None},
        )
        shown.headers["Content-Security-Policy"] = ONLY_OURS
        return shown

    app.include_router(router)
    app.mount(files, StaticFiles(directory=folder), name="arquivos")
