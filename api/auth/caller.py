"""Who a request is from, and whether that role may: the one gate of every route.

Belongs here: reading Authorization or the panel's cookie, networks, quota, ``allow``. Not here:
what a role sees of a noun, which each noun says in one place.
"""

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import psycopg
from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from api import problems
from api.auth import signing
from api.auth.users import KEY_PREFIX, Role, digest

BEARER = HTTPBearer(auto_error=False, description="Token de acesso, ou chave (ilk_…)")
COOKIE = "intel_acesso"
"""The access token of a browser (auth/browser.py), where no Authorization is sent."""
OUR_PAGE = "X-Intel-Painel"
"""A header that another site's page cannot send: by cookie, whatever changes something needs it."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})

_USER = "u.id, u.nome, u.papel, u.dispositivo_id, u.redes::text[], u.cota_diaria, u.rotas"
_BY_SESSION = f"""
    select {_USER}, s.id from app.sessao as s inner join app.usuario as u on u.id = s.usuario_id
    where s.id = %s and s.encerrada_em is null and s.expira_em > now() and u.ativo"""
_BY_KEY = f"""
    select {_USER}, null::uuid
    from app.chave_api as k inner join app.usuario as u on u.id = k.usuario_id
    where k.sha256 = %s and k.revogada_em is null and u.ativo"""
_TODAY = """
    select count(*) from app.auditoria
    where usuario_id = %s and status <> 429
        and quando >= date_trunc('day', now(), 'America/Sao_Paulo')"""


@dataclass(frozen=True)
class Caller:
    """Who calls; session: None for who came with a key."""

    id: UUID
    name: str
    role: Role
    device: str | None
    session: UUID | None

    @property
    def sees_contacts(self) -> bool:
        """Whether a company's telephone and e-mail, which may be a person's, are theirs to see."""
        return self.role in (Role.SALES, Role.ADMIN)


def address(request: Request) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Where the request is from; behind a proxy, what uvicorn trusts of its header."""
    try:
        return ipaddress.ip_address(request.client.host) if request.client else None
    except ValueError:
        return None


def identify(request: Request, _: Annotated[object, Depends(BEARER)]) -> Caller:
    """The caller.

    Raises:
        Refusal: no credential that holds, another network than its own, or its quota is used up.
    """
    secret = _secret(request)
    with request.app.state.pools.app.connection() as conn:
        row = _found(conn, request.app.state.keys, secret)
        if row is None:
            raise problems.Refusal(problems.NO_LOGIN, "a credencial não vale, ou não vale mais")
        user, name, role, device, networks, quota, routes, session = row
        caller = Caller(user, name, Role(role), device, session)
        request.state.caller = caller
        here = address(request)
        allowed = [ipaddress.ip_network(n) for n in networks]
        if caller.role is Role.ADMIN:
            allowed = allowed or request.app.state.settings.admin_networks
        if allowed and not (here and any(here in network for network in allowed)):
            raise problems.Refusal(problems.FORBIDDEN, "desta rede esta conta não chama a API")
        if routes and not any(_below(request.scope["path"], route) for route in routes):
            detail = f"esta conta só pode: {', '.join(sorted(routes))}"
            raise problems.Refusal(problems.FORBIDDEN, detail)
        if quota is not None and conn.execute(_TODAY, [user]).fetchone()[0] >= quota:
            detail = f"a cota de {quota} chamadas por dia acabou; volta à meia-noite de Brasília"
            raise problems.Refusal(problems.TOO_MANY, detail, {"Retry-After": "3600"})
    return caller


def _secret(request: Request) -> str:
    header = request.headers.get("authorization")
    if header is None and (cookie := request.cookies.get(COOKIE)):
        if request.method not in READING:
            refuse_other_pages(request)
        return cookie
    kind, _, secret = (header or "").partition(" ")
    if kind.lower() != "bearer" or not secret:
        raise problems.Refusal(problems.NO_LOGIN, "o pedido veio sem Authorization: Bearer")
    return secret


def refuse_other_pages(request: Request) -> None:
    """Refuse what a page of another site could have a browser send.

    Raises:
        Refusal: the header of our own pages is not there.
    """
    if OUR_PAGE.lower() not in request.headers:
        detail = f"com cookie, o que muda algo precisa do cabeçalho {OUR_PAGE}: 1"
        raise problems.Refusal(problems.FORBIDDEN, detail)


def _below(path: str, route: str) -> bool:
    """Whether a path is a route's or below it; /ogc stands beside /api/v1."""
    place = path.removeprefix("/api/v1/").strip("/")
    return place == route or place.startswith(f"{route}/")


def _found(conn: psycopg.Connection, keys: signing.Keys, secret: str) -> tuple | None:
    if secret.startswith(KEY_PREFIX):
        return conn.execute(_BY_KEY, [digest(secret)]).fetchone()
    try:
        session = signing.check(keys, secret)
    except signing.Rejected:
        return None
    return conn.execute(_BY_SESSION, [session]).fetchone()


def allow(*roles: Role) -> Callable[[Caller], Awaitable[Caller]]:
    """A dependency that lets these roles in; an administrator always."""

    # It waits for nothing: a thread of its own would cost more than it does.
    async def gate(caller: Annotated[Caller, Depends(identify)]) -> Caller:
        if caller.role not in (*roles, Role.ADMIN):
            detail = f"o papel {caller.role} não pode usar esta rota"
            raise problems.Refusal(problems.FORBIDDEN, detail)
        return caller

    return gate


Reader = Annotated[Caller, Depends(allow(Role.READER, Role.SALES, Role.PARTNER))]
"""Whoever may read figures."""
Insider = Annotated[Caller, Depends(allow(Role.READER, Role.SALES))]
"""Whoever may read what is no partner's matter."""
Salesperson = Annotated[Caller, Depends(allow(Role.SALES))]
Administrator = Annotated[Caller, Depends(allow())]
