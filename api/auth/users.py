"""Users as app.usuario keeps them, and the keys of partners and devices.

Belongs here: making, listing, stopping users and keys. Not here: sessions (sessions.py), HTTP.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from api.auth import passwords
from loaders.errors import InvalidInput

KEY_PREFIX = "ilk_"
"""What a key begins with, so that a key that got somewhere public is found."""

_LIST = """
    select u.nome, u.papel, u.ativo, u.dispositivo_id, u.redes::text[] as redes, u.cota_diaria,
        u.rotas, u.criado_em,
        (select count(*) from app.sessao as s where s.usuario_id = u.id
            and s.encerrada_em is null and s.expira_em > now()) as sessoes,
        (select count(*) from app.chave_api as k
            where k.usuario_id = u.id and k.revogada_em is null) as chaves
    from app.usuario as u order by u.nome"""
_ACTIVE = "select ativo from app.usuario where nome = %s"
_REOPEN = "update app.usuario set ativo = true where nome = %s and not ativo returning papel"
_STOP = """
    with parado as (
        update app.usuario set ativo = false where nome = %s returning id
    ), sessoes as (
        update app.sessao set encerrada_em = now(), motivo = 'admin'
        where usuario_id in (select id from parado) and encerrada_em is null
    ), chaves as (
        update app.chave_api set revogada_em = now()
        where usuario_id in (select id from parado) and revogada_em is null
    )
    select count(*) from parado"""

_VISIT = """
    update app.usuario set visita_em = now(),
        visita_anterior_em = case
            when visita_em < now() - interval '30 minutes' then visita_em else visita_anterior_em
        end
    where id = %s returning visita_anterior_em"""


class Role(StrEnum):
    """What a user is."""

    READER = "leitor"
    SALES = "comercial"
    PARTNER = "parceiro"
    ADMIN = "admin"
    DEVICE = "dispositivo"


BY_KEY = frozenset({Role.PARTNER, Role.DEVICE})
"""Who has keys, and no password."""


@dataclass(frozen=True)
class NewUser:
    """A user to be.

    Attributes:
        device: the AICSS device that a user of role dispositivo sends readings of.
        networks: where from it may call; none: from anywhere.
        quota: calls a day; None: without.
        routes: what it may call, like leads or perdas/mensais; none: all that its role may.
    """

    name: str
    role: Role
    password: str | None = None
    device: str | None = None
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    quota: int | None = None
    routes: tuple[str, ...] = ()


def digest(secret: str) -> bytes:
    """What is kept of a token or key: they are random, so a plain hash does."""
    return hashlib.sha256(secret.encode()).digest()


def create(conn: psycopg.Connection, user: NewUser) -> UUID:
    """Make a user.

    Raises:
        InvalidInput: the name is taken or is none, the password is too short, a device is missing.
    """
    if (user.role in BY_KEY) == (user.password is not None):
        raise InvalidInput("parceiro e dispositivo têm chave; os outros, senha")
    if user.password is not None and not (
        passwords.SHORTEST <= len(user.password) <= passwords.LONGEST
    ):
        raise InvalidInput(f"a senha tem de {passwords.SHORTEST} a {passwords.LONGEST} caracteres")
    kept = passwords.hashed(user.password) if user.password is not None else None
    values = [user.name, user.role, kept, user.device, [*map(str, user.networks)], user.quota]
    values += [list(user.routes)]
    try:
        with conn.transaction():
            return conn.execute(
                "insert into app.usuario (nome, papel, senha_hash, dispositivo_id, redes,"
                " cota_diaria, rotas)"
                " values (%s, %s, %s, %s, %s::cidr[], %s, %s) returning id",
                values,
            ).fetchone()[0]
    except psycopg.errors.UniqueViolation:
        said = f"já há um usuário {user.name}"
        if not conn.execute(_ACTIVE, [user.name]).fetchone()[0]:
            said += f", encerrado: `python -m api usuario reabrir {user.name}`"
        raise InvalidInput(said) from None
    except (psycopg.errors.CheckViolation, psycopg.DataError):
        raise InvalidInput(
            "o usuário não serve: o nome tem minúsculas, números, . _ @ -; só o papel dispositivo"
            " tem, e precisa ter, um dispositivo; a cota é maior que zero"
        ) from None


def new_key(conn: psycopg.Connection, name: str) -> str:
    """Give a partner or device one more key; it is shown this once.

    Raises:
        InvalidInput: there is no such active user, or it is one with a password.
    """
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    done = conn.execute(
        "insert into app.chave_api (sha256, usuario_id) select %s, id from app.usuario"
        " where nome = %s and ativo and papel = any(%s)",
        [digest(key), name, sorted(BY_KEY)],
    )
    if done.rowcount != 1:
        raise InvalidInput(f"não há parceiro nem dispositivo ativo de nome {name}")
    return key


def stop(conn: psycopg.Connection, name: str) -> bool:
    """End a user's sessions and keys for good; False: there is none of that name."""
    return conn.execute(_STOP, [name]).fetchone()[0] == 1


def reopen(conn: psycopg.Connection, name: str) -> Role | None:
    """Let a closed user in again, by the password of before; keys are given anew.

    None: none of that name is closed.
    """
    found = conn.execute(_REOPEN, [name]).fetchone()
    return Role(found[0]) if found else None


def visit(conn: psycopg.Connection, user: UUID) -> datetime | None:
    """Mark that somebody is here; when the visit before this one ended, if there was any."""
    return conn.execute(_VISIT, [user]).fetchone()[0]


def last_visit(conn: psycopg.Connection, user: UUID) -> datetime | None:
    """When somebody's visit before this one ended; None: they were never here before."""
    query = "select visita_anterior_em from app.usuario where id = %s"
    return conn.execute(query, [user]).fetchone()[0]


def everyone(conn: psycopg.Connection) -> list[dict[str, object]]:
    """All users, with how many sessions and keys each has; no secret."""
    return conn.cursor(row_factory=dict_row).execute(_LIST).fetchall()
