"""The same sessions for a browser: its tokens are cookies that no script of a page can read.

Belongs here: setting them, and who the caller is (``eu``). Not here: sessions (sessions.py), the
gate, which asks for a header of our own pages besides a cookie (caller.py).
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from api import problems
from api.auth import sessions, users
from api.auth.caller import COOKIE, Caller, identify, refuse_other_pages
from api.auth.routes import Login, Tokens, opened_by, renewed_by

REFRESH_COOKIE = "intel_renovacao"
PLACE = "/api/v1/sessao"
"""Where alone the browser sends the refresh token."""
router = APIRouter(tags=["Sessões"])
OurPage = Depends(refuse_other_pages)


class Opened(BaseModel):
    """How long the access cookie lives."""

    seconds: int = Field(
        serialization_alias="expira_em_s", description="Renove antes.", examples=[600]
    )


class Me(BaseModel):
    """Who calls."""

    name: str = Field(serialization_alias="nome", examples=["ana"])
    role: users.Role = Field(serialization_alias="papel", examples=["comercial"])
    device: str | None = Field(serialization_alias="dispositivo_id")
    contacts: bool = Field(
        serialization_alias="ve_contatos", description="Telefone e e-mail de empresas."
    )
    before: datetime | None = Field(
        serialization_alias="visita_anterior_em",
        description="Quando acabou a visita anterior; nulo: esta é a primeira.",
    )


def _keep(request: Request, response: Response, tokens: Tokens) -> Opened:
    days = request.app.state.settings.session_days
    how = {"httponly": True, "samesite": "strict", "secure": request.url.scheme == "https"}
    response.set_cookie(COOKIE, tokens.access, max_age=tokens.seconds, path="/", **how)
    response.set_cookie(REFRESH_COOKIE, tokens.refresh, max_age=days * 86400, path=PLACE, **how)
    response.headers["Cache-Control"] = "no-store"
    return Opened(seconds=tokens.seconds)


@router.post(
    "/sessao", status_code=201, summary="Entra num navegador, por cookies", dependencies=[OurPage]
)
def open_session(request: Request, response: Response, login: Login) -> Opened:
    """Precisa, como tudo que um navegador muda com cookie, do cabeçalho `X-Intel-Painel: 1`."""
    return _keep(request, response, opened_by(request, login))


@router.post("/sessao/renovacao", summary="Renova os cookies", dependencies=[OurPage])
def renew_session(request: Request, response: Response) -> Opened:
    """Uma de cada vez: o mesmo cookie duas vezes encerra a sessão, como um token copiado."""
    refresh = request.cookies.get(REFRESH_COOKIE, "")
    if not refresh or len(refresh) > 100:
        raise problems.Refusal(problems.NO_LOGIN, "não há sessão neste navegador")
    return _keep(request, response, renewed_by(request, refresh))


@router.delete("/sessao", status_code=204, summary="Sai do navegador", dependencies=[OurPage])
def close_session(request: Request, response: Response) -> None:
    """Encerra a sessão do cookie, ainda que o token de acesso já tenha vencido."""
    refresh = request.cookies.get(REFRESH_COOKIE, "")
    with request.app.state.pools.app.connection() as conn:
        if session := sessions.of_refresh(conn, refresh):
            sessions.log_out(conn, session)
    response.delete_cookie(COOKIE, path="/")
    response.delete_cookie(REFRESH_COOKIE, path=PLACE)


@router.get("/eu", summary="Quem chama, e quando veio antes")
def who_am_i(
    request: Request, response: Response, caller: Annotated[Caller, Depends(identify)]
) -> Me:
    """Marca a visita: meia hora sem perguntar, e a próxima pergunta começa outra."""
    with request.app.state.pools.app.connection() as conn:
        before = users.visit(conn, caller.id)
    request.state.rows = 1
    response.headers["Cache-Control"] = "no-store"
    return Me(
        name=caller.name,
        role=caller.role,
        device=caller.device,
        contacts=caller.sees_contacts,
        before=before,
    )
