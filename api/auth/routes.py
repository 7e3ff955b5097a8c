"""Sessions over HTTP: log in, renew, log out; users, for administrators.

Belongs here: translating HTTP. Not here: what a session is (sessions.py), the gate (caller.py).
"""

import re
from datetime import timedelta
from math import ceil
from time import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from limits import parse
from limits.strategies import MovingWindowRateLimiter
from psycopg_pool import ConnectionPool
from pydantic import BaseModel, ConfigDict, Field

from api import problems
from api.auth import passwords, sessions, signing, users
from api.auth.attempts import Attempts
from api.auth.caller import Administrator, Caller, address, identify

OF_A_NAME, OF_AN_ADDRESS = parse("5/minute"), parse("30/minute")
"""Logins that are tried: for one name from one address, and from one address."""
RENEWALS = parse("60/minute")
router = APIRouter(tags=["Sessões"])
users_router = APIRouter(prefix="/usuarios", tags=["Administração"])


class Limiter:
    """Counts of all processes together (attempts.py)."""

    def __init__(self, pool: ConnectionPool) -> None:
        """On connections of role intel_app."""
        self._window = MovingWindowRateLimiter(Attempts(pool))

    def hit(self, limit: Any, *key: str) -> None:  # noqa: ANN401 - limits' own type
        """Count one.

        Raises:
            Refusal: the limit is reached.
        """
        if not self._window.hit(limit, *key):
            again = self._window.get_window_stats(limit, *key).reset_time
            seconds = str(max(1, ceil(again - time())))
            detail = f"tentativas demais daqui: de novo em {seconds} s"
            raise problems.Refusal(problems.TOO_MANY, detail, {"Retry-After": seconds})


class Login(BaseModel):
    """A name and its password."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(alias="nome", max_length=100, examples=["ana"])
    password: str = Field(
        alias="senha", max_length=passwords.LONGEST, examples=["uma frase que só a Ana sabe"]
    )


class Renewal(BaseModel):
    """A refresh token."""

    model_config = ConfigDict(extra="forbid")
    refresh: str = Field(alias="token_renovacao", max_length=100, examples=["kZ0…"])


class Tokens(BaseModel):
    """What a session hands out."""

    access: str = Field(serialization_alias="token_acesso", examples=["eyJhbGciOiJFUzI1NiIs…"])
    kind: str = Field("Bearer", serialization_alias="tipo")
    seconds: int = Field(
        serialization_alias="expira_em_s", description="Vida do token de acesso.", examples=[600]
    )
    refresh: str = Field(
        serialization_alias="token_renovacao", description="Vale uma vez.", examples=["kZ0…"]
    )


class User(BaseModel):
    """A user, without any secret."""

    model_config = ConfigDict(extra="allow")
    name: str = Field(alias="nome", examples=["ana"])
    role: users.Role = Field(alias="papel", examples=["leitor"])


def _tokens(request: Request, opened: sessions.Opened) -> Tokens:
    life = timedelta(minutes=request.app.state.settings.access_minutes)
    access = signing.sign(request.app.state.keys, opened.user, opened.session, life)
    return Tokens(access=access, seconds=int(life.total_seconds()), refresh=opened.refresh)


def opened_by(request: Request, login: Login) -> Tokens:
    """The tokens of a new session.

    Raises:
        Refusal: too many tries, or no such name and password.
    """
    limiter, here = request.app.state.limiter, str(address(request))
    limiter.hit(OF_AN_ADDRESS, "login", here)
    limiter.hit(OF_A_NAME, "login", here, login.name)
    life = timedelta(days=request.app.state.settings.session_days)
    opened = None
    if "\0" not in login.name:
        with request.app.state.pools.app.connection() as conn:
            opened = sessions.log_in(conn, login.name, login.password, life)
    if opened is None:
        raise problems.Refusal(problems.NO_LOGIN, "nome ou senha não conferem")
    return _tokens(request, opened)


@router.post("/sessoes", status_code=201, summary="Entra: nome e senha por tokens")
def log_in(request: Request, response: Response, login: Login) -> Tokens:
    """Abre uma sessão. O token de acesso vale minutos; o de renovação, uma vez."""
    response.headers["Cache-Control"] = "no-store"
    return opened_by(request, login)


def renewed_by(request: Request, refresh: str) -> Tokens:
    """The tokens that follow a refresh token.

    Raises:
        Refusal: too many tries, or the token does not hold, or came twice.
    """
    request.app.state.limiter.hit(RENEWALS, "renovacao", str(address(request)))
    with request.app.state.pools.app.connection() as conn:
        try:
            opened = sessions.renew(conn, refresh)
        except sessions.ReuseDetected:
            detail = "este token já tinha sido usado: a sessão foi encerrada"
            raise problems.Refusal(problems.NO_LOGIN, detail) from None
    if opened is None:
        raise problems.Refusal(problems.NO_LOGIN, "o token de renovação não vale, ou não vale mais")
    return _tokens(request, opened)


@router.post("/sessoes/renovacao", summary="Troca o token de renovação pelo seguinte")
def renew(request: Request, response: Response, renewal: Renewal) -> Tokens:
    """Um token de renovação que volta depois de usado encerra a sessão: alguém o copiou."""
    response.headers["Cache-Control"] = "no-store"
    return renewed_by(request, renewal.refresh)


@router.delete("/sessoes/atual", status_code=204, summary="Sai")
def log_out(request: Request, caller: Annotated[Caller, Depends(identify)]) -> None:
    """Encerra a sessão de quem chama: nenhum dos seus tokens vale mais."""
    if caller.session:
        with request.app.state.pools.app.connection() as conn:
            sessions.log_out(conn, caller.session)


@users_router.get("", summary="Quem tem conta")
def list_users(request: Request, caller: Administrator) -> list[User]:
    """Todos os usuários; nenhum segredo."""
    with request.app.state.pools.app.connection() as conn:
        found = users.everyone(conn)
    request.state.rows = len(found)
    return [User.model_validate(user) for user in found]


@users_router.delete("/{nome}", status_code=204, summary="Encerra uma conta")
def stop_user(
    request: Request, caller: Administrator, name: Annotated[str, Path(alias="nome")]
) -> None:
    """As sessões e chaves dela acabam na hora; o que ela fez fica na auditoria."""
    _refuse_what_is_no_name(name)
    with request.app.state.pools.app.connection() as conn:
        if not users.stop(conn, name):
            raise problems.Refusal(problems.NOT_FOUND, "não há este usuário")


@users_router.put("/{nome}/reabertura", status_code=204, summary="Reabre uma conta encerrada")
def reopen_user(
    request: Request, caller: Administrator, name: Annotated[str, Path(alias="nome")]
) -> None:
    """Entra com a senha de antes; chaves não voltam: `usuario chave` dá outra."""
    _refuse_what_is_no_name(name)
    with request.app.state.pools.app.connection() as conn:
        if not users.reopen(conn, name):
            raise problems.Refusal(problems.NOT_FOUND, "não há conta encerrada com este nome")


def _refuse_what_is_no_name(name: str) -> None:
    if not re.fullmatch(r"[a-z0-9._@-]{2,100}", name):
        raise problems.Refusal(problems.NOT_FOUND, "não há este usuário")
