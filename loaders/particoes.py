"""The raw tables: partitioned roots, a leaf per layer and safra, the swap that publishes leaves.

Belongs here: DDL made from camadas.py. Not here: rows (copia.py) and bookkeeping (registro.py).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import psycopg
from psycopg import sql
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random

from loaders.camadas import CAMADAS, FORMA, PESSOAIS, Camada
from loaders.safra import Safra
from loaders.search_path import postgis_schema

_FIXAS = {
    "ano": "smallint",
    "distribuidora_id": "integer",
    "import_id": "bigint",
    "linha": "bigint",
}
_ALINHAMENTO = ("bigint", "double precision", "integer", "smallint", "text", FORMA)
_ESPERA_TROCA_S = 300
_ESPERA_TRAVA = "1s"
"""A waiting ACCESS EXCLUSIVE lock stalls every later reader: give up early, try again."""
ASIDE = "__aceita"
"""Ends the name of a leaf that was set aside."""


@dataclass(frozen=True)
class Folha:
    """A leaf being landed: it stands alone under a name of its own until the swap."""

    camada: Camada
    safra: Safra
    import_id: int

    @property
    def nome(self) -> str:
        """The name that dbt reads."""
        return f"{self.camada.tabela}_{self.safra.distribuidora_id}_{self.safra.ano}"

    @property
    def nova(self) -> sql.Identifier:
        """The qualified name until the swap."""
        return sql.Identifier("raw_safra", f"{self.nome}__{self.import_id}")

    @property
    def publicada(self) -> sql.Identifier:
        """The qualified name after the swap."""
        return sql.Identifier("raw_safra", self.nome)

    @property
    def aside(self) -> sql.Identifier:
        """Where an accepted content waits until the gate has judged what replaced it."""
        return sql.Identifier("raw_safra", f"{self.nome}{ASIDE}")


def _tipo(conn: psycopg.Connection, tipo: str) -> sql.Composable:
    """A type as DDL; PostGIS's by its schema, wherever that is."""
    if tipo != FORMA:
        return sql.SQL(tipo)
    return sql.SQL("{}.").format(sql.Identifier(postgis_schema(conn))) + sql.SQL(tipo)


def _colunas(conn: psycopg.Connection, camada: Camada, padroes: dict[str, int]) -> sql.Composable:
    """Column definitions, widest alignment first: in the layer's order, padding took 19 B a row."""
    tipos = sorted((_FIXAS | camada.colunas).items(), key=lambda par: _ALINHAMENTO.index(par[1]))
    return sql.SQL(", ").join(
        sql.SQL("{} {}{}{}").format(
            sql.Identifier(nome),
            _tipo(conn, tipo),
            sql.SQL(" not null" if nome in _FIXAS else ""),
            sql.SQL(f" default {padroes[nome]}" if nome in padroes else ""),
        )
        for nome, tipo in tipos
    )


def criar_raizes(conn: psycopg.Connection) -> None:
    """Create the roots and columns that are missing, and name every layer in ``camada_enum``."""
    for camada in CAMADAS:
        raiz = sql.Identifier("raw", camada.tabela)
        conn.execute(
            sql.SQL(
                "create table if not exists {} ({}) partition by range (ano, distribuidora_id)"
            ).format(raiz, _colunas(conn, camada, {}))
        )
        for nome in _colunas_que_faltam(conn, camada):
            conn.execute(
                sql.SQL("alter table {} add column {} {}").format(
                    raiz, sql.Identifier(nome), _tipo(conn, camada.colunas[nome])
                )
            )
        for tabela in _particoes(conn, camada):
            conceder_leitura(conn, camada, tabela)
        conn.execute(
            sql.SQL("alter type intel_lead.camada_enum add value if not exists {}").format(
                sql.Literal(camada.nome)
            )
        )


def _colunas_que_faltam(conn: psycopg.Connection, camada: Camada) -> list[str]:
    tem = conn.execute(
        "select attname from pg_attribute where attrelid = %s::regclass", [f"raw.{camada.tabela}"]
    ).fetchall()
    return [nome for nome in camada.colunas if (nome,) not in tem]


def _particoes(conn: psycopg.Connection, camada: Camada) -> list[sql.Identifier]:
    """The root and its leaves."""
    todas = conn.execute(
        "select relnamespace::regnamespace::text, relname from pg_class"
        " where oid in (select relid from pg_partition_tree(%s))",
        [f"raw.{camada.tabela}"],
    )
    return [sql.Identifier(*nome) for nome in todas]


def completar_safras(conn: psycopg.Connection) -> None:
    """Give each landed safra an empty leaf of every layer that the code has learnt since."""
    importadas = conn.execute(
        "select distribuidora_id || '-' || ano, import_id from controle.safra_importada order by 1"
    ).fetchall()
    for chave, import_id in importadas:
        folhas = [Folha(camada, Safra.de_chave(chave), import_id) for camada in CAMADAS]
        existentes = folhas_existentes(conn, [folha.nome for folha in folhas])
        for folha in (f for f in folhas if f.nome not in existentes):
            criar_folha(conn, folha)
            trocar(conn, [folha])


def criar_folha(conn: psycopg.Connection, folha: Folha) -> None:
    """Create an empty leaf, without touching its root.

    The columns come from camadas.py, not from LIKE: that would hold a lock on the root while the
    layer streams in, and make every other safra's swap wait. The CHECK lets ATTACH skip its scan.
    """
    ano, dist = folha.safra.ano, folha.safra.distribuidora_id
    padroes = {"ano": ano, "distribuidora_id": dist, "import_id": folha.import_id}
    conn.execute(
        sql.SQL(
            "create table {} ({}, constraint limites check"
            " (ano = {ano} and distribuidora_id >= {de} and distribuidora_id < {ate}))"
            " with (autovacuum_enabled = false)"  # written once, frozen and analysed
        ).format(folha.nova, _colunas(conn, folha.camada, padroes), ano=ano, de=dist, ate=dist + 1)
    )
    conceder_leitura(conn, folha.camada, folha.nova)


def conceder_leitura(conn: psycopg.Connection, camada: Camada, tabela: sql.Identifier) -> None:
    """Let dbt's role, where scripts/roles.py made it, read every column but the PESSOAIS."""
    if conn.execute("select to_regrole('intel_dbt') is null").fetchone()[0]:
        return
    colunas = [sql.Identifier(c) for c in (*_FIXAS, *camada.colunas) if c not in PESSOAIS]
    comando = sql.SQL("grant select ({}) on {} to intel_dbt")
    conn.execute(comando.format(sql.SQL(", ").join(colunas), tabela))


def folhas_existentes(conn: psycopg.Connection, nomes: Iterable[str]) -> set[str]:
    """Which of these leaves are there."""
    linhas = conn.execute(
        "select relname from pg_class"
        " where relnamespace = 'raw_safra'::regnamespace and relname = any(%s)",
        [list(nomes)],
    )
    return {nome for (nome,) in linhas}


def trocar(conn: psycopg.Connection, folhas: list[Folha], *, keep: Collection[str] = ()) -> None:
    """Put new leaves in the place of the old ones, inside the caller's transaction.

    Args:
        conn: connection.
        folhas: the new leaves.
        keep: names of old leaves to set aside instead of dropping them.

    Raises:
        psycopg.errors.LockNotAvailable: a reader kept an old leaf busy for five minutes.
    """
    tentativas = Retrying(
        retry=retry_if_exception_type(
            (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
        ),
        wait=wait_random(0.2, 1.0),
        stop=stop_after_delay(_ESPERA_TROCA_S),
        reraise=True,
    )
    for tentativa in tentativas:
        with tentativa, conn.transaction():
            conn.execute(sql.SQL("set local lock_timeout = {}").format(_ESPERA_TRAVA))
            for folha in folhas:
                _trocar_folha(conn, folha, keep=folha.nome in keep)


def _trocar_folha(conn: psycopg.Connection, folha: Folha, *, keep: bool) -> None:
    ano, dist = folha.safra.ano, folha.safra.distribuidora_id
    root, name = sql.Identifier("raw", folha.camada.tabela), sql.Identifier(folha.nome + ASIDE)
    if keep:
        detach = sql.SQL("alter table {} detach partition {}")
        conn.execute(detach.format(root, folha.publicada))
        conn.execute(sql.SQL("alter table {} rename to {}").format(folha.publicada, name))
    else:
        conn.execute(sql.SQL("drop table if exists {}").format(folha.publicada))
    conn.execute(
        sql.SQL("alter table {} rename to {}").format(folha.nova, sql.Identifier(folha.nome))
    )
    conn.execute(
        sql.SQL("alter table {} attach partition {} for values from ({}, {}) to ({}, {})").format(
            root, folha.publicada, ano, dist, ano, dist + 1
        )
    )
