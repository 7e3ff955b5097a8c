"""Following leads up over HTTP. Not here: what is kept (store.py)."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from api import problems
from api.auth.caller import Salesperson, allow
from api.auth.users import Role
from api.leads.filters import Offer
from api.tracking import store

MOST = 1000
"""Leads of one question: a page of them."""
router = APIRouter(prefix="/leads/{uc_id}/acompanhamento", tags=["Acompanhamento"])
of_many = APIRouter(prefix="/acompanhamento", tags=["Acompanhamento"])
INSIDERS = Depends(allow(Role.READER, Role.SALES))
"""What our sales say of a lead is no partner's to read."""


class Said(BaseModel):
    """What was last said of an offer."""

    offer: Offer = Field(alias="oferta", examples=["arbitragem"])
    status: store.Status = Field(alias="situacao", examples=["proposta"])
    closed_on: date | None = Field(alias="resultado_em")
    owner: str | None = Field(alias="responsavel")
    note: str | None = Field(alias="observacao", description="Texto puro: não é HTML.")
    changed_at: datetime = Field(alias="alterado_em")
    changed_by: str = Field(alias="alterado_por", examples=["ana"])


class SaidOfLead(Said):
    """What was last said of an offer to one of several leads."""

    uc_id: UUID


def _unit(request: Request, uc_id: UUID) -> tuple[int, str]:
    with request.app.state.pools.reading.connection() as conn:
        unit = store.unit_of(conn, uc_id)
    if unit is None:
        raise problems.Refusal(problems.NOT_FOUND, "não há lead com este uc_id")
    return unit


@router.get("", summary="O que se disse de um lead", dependencies=[INSIDERS])
def read(request: Request, response: Response, uc_id: UUID) -> list[Said]:
    """O último de cada oferta; vale para todas as safras da mesma unidade (COD_ID)."""
    unit = _unit(request, uc_id)
    with request.app.state.pools.app.connection() as conn:
        found = store.newest(conn, [unit])
    request.state.rows = len(found)
    response.headers["Cache-Control"] = "private, no-store"
    return [Said.model_validate(row) for row in found]


@router.put("/{oferta}", status_code=204, summary="Diz em que pé está uma oferta")
def change(
    request: Request, caller: Salesperson, uc_id: UUID, oferta: Offer, said: store.Change
) -> None:
    """Fica quem mudou e quando, e o que se disse antes; o lead não volta ao CRM."""
    unit = _unit(request, uc_id)
    with request.app.state.pools.app.connection() as conn:
        store.add(conn, unit, oferta, said, caller.id)
    request.state.rows = 1


@of_many.get("", summary="O que se disse de vários leads", dependencies=[INSIDERS])
def read_many(
    request: Request,
    response: Response,
    uc: Annotated[
        list[UUID], Query(min_length=1, max_length=MOST, description="uc_id. Repetível.")
    ],
) -> list[SaidOfLead]:
    """O último de cada oferta; leads de que nada se disse não vêm."""
    with request.app.state.pools.reading.connection() as conn:
        units = store.units_of(conn, uc)
    with request.app.state.pools.app.connection() as conn:
        found = store.newest(conn, units.values())
    by_unit = {unit: uc_id for uc_id, unit in units.items()}
    request.state.rows = len(found)
    response.headers["Cache-Control"] = "private, no-store"
    return [
        SaidOfLead.model_validate(row | {"uc_id": by_unit[row["distribuidora_id"], row["cod_id"]]})
        for row in found
    ]
