"""Searches of leads that somebody keeps, for themselves. Not here: what one finds (routes.py).

Belongs here: keeping them, and checking that they are searches.
"""

from datetime import datetime
from typing import Annotated
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import APIRouter, Request
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from api import problems
from api.auth.caller import Insider
from api.leads.filters import LeadFilters
from api.listings.parameters import Text

MOST = 200
"""Of one person."""
router = APIRouter(prefix="/buscas", tags=["Leads"])


class _Search(LeadFilters):
    """What the panel's address bar holds: filters of GET /leads, and the corners of an area."""

    area: Annotated[str, StringConstraints(pattern=r"^[-0-9., ]+$")] = ""


_MANY = frozenset(
    field.alias or name
    for name, field in LeadFilters.model_fields.items()
    if getattr(field.annotation, "__origin__", None) is list
)
_LIST = """
    select id, nome, consulta, criada_em from app.busca_salva
    where usuario_id = %s order by nome, id"""
_ADD = """
    insert into app.busca_salva (usuario_id, nome, consulta)
    select %(quem)s, %(nome)s, %(consulta)s
    where (select count(*) from app.busca_salva where usuario_id = %(quem)s) < %(limite)s
    on conflict (usuario_id, nome) do update set consulta = excluded.consulta
    returning id, nome, consulta, criada_em"""


class Wanted(BaseModel):
    """A search to keep."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[
        Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)
    ] = Field(alias="nome", examples=["Baterias em Tapejara"])
    query: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00#]*$")] = Field(
        alias="consulta",
        description="Os filtros, como depois do ? de GET /leads; area: os cantos do desenho.",
        examples=["municipio=4320909&oferta=arbitragem"],
    )


class Kept(BaseModel):
    """A search that is kept."""

    id: UUID
    name: str = Field(alias="nome", examples=["Baterias em Tapejara"])
    query: str = Field(alias="consulta", examples=["municipio=4320909&oferta=arbitragem"])
    since: datetime = Field(alias="criada_em")


@router.get("", summary="As minhas buscas guardadas")
def list_searches(request: Request, caller: Insider) -> list[Kept]:
    """Só as de quem chama, por nome."""
    with request.app.state.pools.app.connection() as conn:
        found = conn.cursor(row_factory=dict_row).execute(_LIST, [caller.id]).fetchall()
    request.state.rows = len(found)
    return [Kept.model_validate(row) for row in found]


@router.post("", status_code=201, summary="Guarda uma busca de leads")
def keep(request: Request, caller: Insider, wanted: Wanted) -> Kept:
    """Com um nome que já há, toma o lugar dela; até 200 por pessoa."""
    _refuse_what_is_no_search(wanted.query)
    values = {"quem": caller.id, "nome": wanted.name, "consulta": wanted.query, "limite": MOST}
    with request.app.state.pools.app.connection() as conn:
        found = conn.cursor(row_factory=dict_row).execute(_ADD, values).fetchone()
    if found is None:
        raise problems.Refusal(problems.INVALID, f"já há {MOST} buscas: apague uma")
    request.state.rows = 1
    return Kept.model_validate(found)


def _refuse_what_is_no_search(query: str) -> None:
    given = parse_qs(query, keep_blank_values=True, max_num_fields=500)
    single = {k: v if k in _MANY or len(v) > 1 else v[0] for k, v in given.items()}
    try:
        _Search.model_validate(single)
    except (ValidationError, ValueError) as error:
        wrong = sorted({str(e["loc"][0]) for e in getattr(error, "errors", list)() if e["loc"]})
        detail = f"não são filtros de leads: {', '.join(wrong) or query[:100]}"
        raise problems.Refusal(problems.INVALID, detail) from None


@router.delete("/{busca_id}", status_code=204, summary="Apaga uma busca guardada")
def forget(request: Request, caller: Insider, busca_id: UUID) -> None:
    """Só a de quem chama."""
    query = "delete from app.busca_salva where id = %s and usuario_id = %s"
    with request.app.state.pools.app.connection() as conn:
        if not conn.execute(query, [busca_id, caller.id]).rowcount:
            raise problems.Refusal(problems.NOT_FOUND, "não há esta busca entre as suas")
    request.state.rows = 1
