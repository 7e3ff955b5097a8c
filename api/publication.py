"""What a reader already has: ETag and 304, by what is published, else by the content.

Belongs here: the tag of an answer. Not here: answers.
"""

import hashlib
from collections.abc import Mapping

import psycopg
from fastapi import Request, Response

from api.auth.caller import Caller

_PUBLISHED = """
    select coalesce(
        string_agg(concat_ws(' ', distribuidora_id, ano, publicada_em), ','
            order by distribuidora_id, ano), '')
    from marts.safra_publicada"""
CACHING = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie"}
"""Kept by the caller alone, and asked for again each time, which costs one short query."""


def tag(conn: psycopg.Connection, request: Request, caller: Caller, form: str) -> str:
    """The ETag of what this request answers, as long as no safra is published or taken out.

    Ask for it before the figures: a publication in between makes an old tag of new figures, which
    costs the caller one more answer; the other way round would hide the new ones.
    """
    (published,) = conn.execute(_PUBLISHED).fetchone()
    parts = (published, request.url.path, request.url.query, form, str(caller.sees_contacts))
    return f'"{hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]}"'


def content_tag(body: bytes) -> str:
    """The ETag of what may change without a publication: a rollup, open data, a forecast."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def document(request: Request, body: bytes) -> Response:
    """One JSON document, or the 304 for a caller who has it already."""
    etag = content_tag(body)
    return not_modified(request, etag) or Response(
        body, media_type="application/json", headers={"ETag": etag, **CACHING}
    )


def not_modified(
    request: Request, etag: str, caching: Mapping[str, str] = CACHING
) -> Response | None:
    """The 304 for a caller who has this already, else None."""
    known = {
        t.strip().removeprefix("W/") for t in request.headers.get("if-none-match", "").split(",")
    }
    if etag in known or "*" in known:
        return Response(status_code=304, headers={"ETag": etag, **caching})
    return None
