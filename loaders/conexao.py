"""The loaders' connection to PostgreSQL and the objects that must exist before the first row.

Belongs here: connecting, running schema.sql. Not here: what is written (registro.py, copia.py).
"""

import os
from hashlib import md5
from importlib import resources

import psycopg
from psycopg import sql

from loaders import search_path, server_check
from loaders.camadas import CAMADAS
from loaders.erros import FalhaDeBanco
from loaders.particoes import completar_safras, criar_raizes

VERSAO_DO_BANCO = 2
"""The newest step of macros/migracoes.sql that this code knows."""


def conectar() -> psycopg.Connection:
    """Connect by libpq's PG* variables, in autocommit: every transaction is spelled out.

    INTEL_CARGA_ROLE names a role to act as, for a login that runs dbt too (docs/security.md).

    Raises:
        FalhaDeBanco: no server answers, or it refuses; or a pooler that shares connections.
    """
    try:
        conn = psycopg.connect(
            "", autocommit=True, connect_timeout=10, fallback_application_name="intel_lead loaders"
        )
        server_check.refuse_transaction_pooler(conn)
        if papel := os.environ.get("INTEL_CARGA_ROLE"):
            conn.execute(sql.SQL("set role {}").format(sql.Identifier(papel)))
        return conn
    except psycopg.Error as erro:
        dito = " ".join(str(erro).split())
        raise FalhaDeBanco(
            f"sem conexão com o PostgreSQL ({dito}); confira DATABASE_URL ou PG*, ou rode `make db`"
        ) from erro


def lost(error: psycopg.Error) -> FalhaDeBanco:
    """What to say of a connection that ended under us: the server fell, or was restarted."""
    said = " ".join(str(error.diag.message_primary or error).split())
    return FalhaDeBanco(
        f"a conexão com o PostgreSQL caiu no meio ({said}): o servidor parou ou reiniciou. Nada"
        " ficou pela metade; o mesmo comando continua de onde parou"
    )


def preparar(conn: psycopg.Connection, *, forcar: bool = False) -> None:
    """Create schemas, enums, ledger and raw roots where they are missing.

    The version is kept as the comment of schema ``raw``, so that a load runs no DDL when
    nothing changed: even CREATE INDEX IF NOT EXISTS would wait for other loads' open transactions.

    Raises:
        FalhaDeBanco: a newer version of the code made the database, or the server lacks something
            (server_check.py); nothing is changed.
    """
    server_check.refuse(conn)
    _recusa_banco_mais_novo(conn)
    ddl = resources.files("loaders").joinpath("schema.sql").read_text(encoding="utf-8")
    definicao = ddl + "".join(f"{c.tabela}{c.colunas}" for c in CAMADAS)
    versao = f"esquema {md5(definicao.encode(), usedforsecurity=False).hexdigest()}"
    if forcar or _versao(conn) != versao:
        with conn.transaction():
            conn.execute("select pg_advisory_xact_lock(hashtextextended('intel_lead esquema', 0))")
            conn.execute(ddl)
            criar_raizes(conn)
            completar_safras(conn)
            conn.execute(sql.SQL("comment on schema raw is {}").format(versao))
    search_path.complete(conn)


def _recusa_banco_mais_novo(conn: psycopg.Connection) -> None:
    if conn.execute("select to_regclass('controle.versao') is null").fetchone()[0]:
        return
    (numero,) = conn.execute("select max(numero) from controle.versao").fetchone()
    if (numero or 0) > VERSAO_DO_BANCO:
        raise FalhaDeBanco(
            f"o banco está na versão {numero} e este código só conhece até a {VERSAO_DO_BANCO}:"
            " nada foi mudado. Atualize o clone (git pull) e rode de novo"
        )


def _versao(conn: psycopg.Connection) -> str | None:
    linha = conn.execute(
        "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = 'raw'"
    ).fetchone()
    return linha[0] if linha else None
