"""Sessions: a login, the refresh tokens that follow one another, the end.

Belongs here: app.sessao, app.token_renovacao. Not here: access tokens (signing.py), HTTP.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import psycopg

from api.auth import passwords
from api.auth.users import digest

_USE = """
    update app.token_renovacao as t set usado_em = now()
    from app.sessao as s inner join app.usuario as u on u.id = s.usuario_id
    where t.sha256 = %s and t.usado_em is null and s.id = t.sessao_id and u.ativo
        and s.encerrada_em is null and s.expira_em > now()
    returning s.id, u.id"""
_REUSED = """
    update app.sessao as s set encerrada_em = now(), motivo = 'reuso'
    from app.token_renovacao as t
    where t.sha256 = %s and t.usado_em is not null and s.id = t.sessao_id
        and s.encerrada_em is null
    returning s.id"""


@dataclass(frozen=True)
class Opened:
    """A session with the refresh token that is its newest."""

    session: UUID
    user: UUID
    refresh: str


class ReuseDetected(Exception):  # noqa: N818 - somebody else's doing
    """A refresh token came twice: the session that it belongs to is over."""


def log_in(conn: psycopg.Connection, name: str, password: str, life: timedelta) -> Opened | None:
    """Open a session; None: no such active user, or another password. Both take as long."""
    found = conn.execute(
        "select id, senha_hash from app.usuario where nome = %s and ativo", [name]
    ).fetchone()
    user, kept = found or (None, None)
    if not passwords.right(password, kept):
        return None
    with conn.transaction():
        (session,) = conn.execute(
            "insert into app.sessao (usuario_id, expira_em) values (%s, now() + %s) returning id",
            [user, life],
        ).fetchone()
        return Opened(session, user, _next(conn, session))


def renew(conn: psycopg.Connection, refresh: str) -> Opened | None:
    """Take a refresh token in for the next one; None: it is none, or its session is over.

    Raises:
        ReuseDetected: it had been used before, by its owner or by a thief; who is not known, so
            the whole session ends.
    """
    key = digest(refresh)
    with conn.transaction():
        if found := conn.execute(_USE, [key]).fetchone():
            return Opened(*found, _next(conn, found[0]))
    if conn.execute(_REUSED, [key]).fetchone():
        raise ReuseDetected
    return None


def of_refresh(conn: psycopg.Connection, refresh: str) -> UUID | None:
    """The session that a refresh token, used or not, belongs to; None: it is none of ours."""
    query = "select sessao_id from app.token_renovacao where sha256 = %s"
    found = conn.execute(query, [digest(refresh)]).fetchone()
    return found[0] if found else None


def log_out(conn: psycopg.Connection, session: UUID) -> None:
    """End a session: none of its tokens holds any longer."""
    conn.execute(
        "update app.sessao set encerrada_em = now(), motivo = 'saida'"
        " where id = %s and encerrada_em is null",
        [session],
    )


def _next(conn: psycopg.Connection, session: UUID) -> str:
    token = secrets.token_urlsafe(32)
    conn.execute(
        "insert into app.token_renovacao (sha256, sessao_id) values (%s, %s)",
        [digest(token), session],
    )
    return token
