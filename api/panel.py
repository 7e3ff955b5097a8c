"""The panel: the files of web/dist at every path that is none of the API's.

Belongs here: handing them out, with what a browser may do in them and how long it keeps them. Not
here: what they show (web/). What is asked of them is logged, and not audited: they hold no data.
"""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException

OURS = ("/api/", "/ogc")
"""Where the API's own paths begin."""
ONLY_OURS = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline';"
    " worker-src 'self' blob:; object-src 'none'; form-action 'self'; frame-ancestors 'none';"
    " base-uri 'none'"
)
"""MapLibre makes its worker and its pictures as blobs, and writes styles; scripts are files."""
FOREVER = "public, max-age=31536000, immutable"
ASSETS = "assets/"
"""Whose names change with what is in them."""
NONE = """<!doctype html><html lang="pt-BR"><meta charset="utf-8"><title>intel-lead</title>
<p>O painel ainda não foi montado: digite <code>make painel</code> e recarregue esta página.
<p><a href="/api/v1/docs">A API</a> já responde.</html>"""


class NotTheApis(StringConvertor):
    """Any path but the API's."""

    regex = r"(?!api(?:/|$)|ogc(?:/|$)).*"


def install(app: FastAPI, folder: Path) -> None:
    """Add the panel; what is no file of it is a page of its own, which index.html finds."""
    register_url_convertor("painel", NotTheApis())
    files = StaticFiles(directory=folder, check_dir=False)

    @app.api_route("/{path:painel}", methods=["GET", "HEAD"], include_in_schema=False)
    async def panel(request: Request, path: str) -> Response:
        if "\0" in path:
            raise HTTPException(404)
        if not (folder / "index.html").is_file():
            return HTMLResponse(NONE, 404)
        hashed = path.startswith(ASSETS)
        try:
            found = await files.get_response(files.get_path(request.scope), request.scope)
        except HTTPException as error:
            if hashed or error.status_code != 404:
                raise
            found = await files.get_response("index.html", request.scope)
        found.headers["Cache-Control"] = FOREVER if hashed else "no-cache"
        found.headers["Content-Security-Policy"] = ONLY_OURS
        return found
