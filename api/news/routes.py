"""GET novidades: what was published, opened, rose or failed since the caller's last visit.

Belongs here: since when, how many of each. Not here: which rows (*.sql).
"""

from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Query, Request, Response
from psycopg.rows import dict_row
from pydantic import BaseModel, Field

from api import formats, problems
from api.auth import users
from api.auth.caller import Insider
from api.listings.parameters import Moment

SHOWN = 20
FIRST_VISIT = timedelta(days=30)
"""How far back somebody looks who was never here."""
router = APIRouter(tags=["Novidades"])


class Part(BaseModel):
    """The newest of one kind, and how many there are."""

    total: int = Field(examples=[1])
    items: list[dict[str, Any]] = Field(
        serialization_alias="itens", description=f"Até {SHOWN}.", examples=[[{}]]
    )


class News(BaseModel):
    """What happened since."""

    since: datetime = Field(serialization_alias="desde", examples=["2026-11-29T18:00:00-03:00"])
    safras: Part = Field(serialization_alias="safras_publicadas")
    alerts: Part = Field(serialization_alias="alertas_abertos")
    leads: Part = Field(serialization_alias="leads_que_subiram")
    imports: Part = Field(serialization_alias="importacoes_que_falharam")


def _part(conn: psycopg.Connection, name: str, since: datetime) -> Part:
    text = resources.files("api.news").joinpath(f"{name}.sql").read_text(encoding="utf-8")
    values = {"desde": since, "limite": SHOWN}
    rows = conn.cursor(row_factory=dict_row).execute(text, values).fetchall()
    total = rows[0]["total"] if rows else 0
    return Part(total=total, items=[{k: v for k, v in r.items() if k != "total"} for r in rows])


@router.get("/novidades", summary="O que há de novo desde a última visita", response_model=News)
def news(
    request: Request,
    caller: Insider,
    since: Annotated[
        Moment | None,
        Query(
            alias="desde",
            description="Sem ele, o fim da visita anterior de quem chama (GET /eu).",
        ),
    ] = None,
) -> Response:
    """Safras publicadas, alertas que abriram, leads que subiram, importações que falharam."""
    pools = request.app.state.pools
    if since is not None and since.tzinfo is None:
        raise problems.Refusal(problems.INVALID, "desde precisa de fuso: 2026-11-30T10:00:00-03:00")
    with pools.app.connection() as conn:
        since = since or users.last_visit(conn, caller.id) or datetime.now(UTC) - FIRST_VISIT
        failed = _part(conn, "importacoes", since)
    with pools.reading.connection() as conn:
        found = News(
            since=since,
            safras=_part(conn, "safras", since),
            alerts=_part(conn, "alertas", since),
            leads=_part(conn, "leads", since),
            imports=failed,
        )
    request.state.rows = sum(
        len(part.items) for part in (found.safras, found.alerts, found.leads, failed)
    )
    body = formats.as_json(found.model_dump(by_alias=True))
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
