"""A question's answer over HTTP: tag, page, total, form. The one road of every list, leads too.

Belongs here: what all lists have in common of HTTP. Not here: which rows (query.py), routes.
"""

from dataclasses import dataclass, replace

from fastapi import Request, Response

from api import formats, publication
from api.auth.caller import Caller
from api.database import Column
from api.formats import Form
from api.listings import query
from api.listings.parameters import Paging


@dataclass(frozen=True)
class Answering:
    """How a list is answered.

    Attributes:
        name: of a file.
        columns: types of the relation's columns.
        by_safra: it changes with a publication alone, so that its ETag needs no rows.
    """

    name: str
    columns: dict[str, Column]
    by_safra: bool


def respond(
    request: Request,
    caller: Caller,
    question: query.Question,
    paging: Paging,
    how: Answering,
) -> Response:
    """The page that is asked for, in the form that is."""
    possible = [Form.JSON, Form.CSV, Form.XLSX, Form.PARQUET]
    if question.geometry:
        possible.insert(2, Form.GEOJSON)
    form = formats.chosen(request, paging.formato, possible)
    if form is not Form.GEOJSON:
        question = replace(question, geometry=None)
    etag = None
    with request.app.state.pools.reading.connection() as conn:
        if how.by_safra:
            etag = publication.tag(conn, request, caller, form)
            if known := publication.not_modified(request, etag):
                return known
        total = query.total(conn, question) if paging.total else None
        found = query.page(conn, question, paging.limite, paging.cursor)
    request.state.rows = len(found.rows)
    body = _written(form, question, found, total, how)
    if etag is None:
        etag = publication.content_tag(body)
        if known := publication.not_modified(request, etag):
            return known
    headers = {"ETag": etag, **publication.CACHING}
    if found.cursor:
        following = request.url.include_query_params(cursor=found.cursor)
        headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    if total is not None:
        headers["X-Total"] = str(total)
    if form is not Form.JSON:
        headers["Content-Disposition"] = f'attachment; filename="{how.name}.{form}"'
    charset = "; charset=utf-8" if form is Form.CSV else ""
    return Response(body, headers=headers, media_type=formats.MEDIA[form] + charset)


def _written(
    form: Form,
    question: query.Question,
    found: query.Page,
    total: int | None,
    how: Answering,
) -> bytes:
    names = question.names
    if form is Form.CSV:
        return formats.as_csv(names, found.rows)
    if form is Form.XLSX:
        from api import workbook

        return workbook.as_xlsx(names, found.rows)
    if form is Form.PARQUET:
        from api import parquet

        return parquet.as_parquet(names, found.rows, how.columns)
    if form is Form.GEOJSON:
        return formats.as_geojson(names, found.rows, key=question.key[-1])
    page = {"itens": found.rows, "cursor": found.cursor}
    page |= {} if total is None else {"total": total}
    return formats.as_json(page | {"fonte": formats.ATTRIBUTION})
