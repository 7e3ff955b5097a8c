"""Taking a safra out of the warehouse, whole; and with it the example, once real data come.

Belongs here: what goes, in one transaction, and its mark in the ledger. Not here: how published
leaves come off (macros/remocao.sql), landing (bdgd.py, aicss/landing.py).
"""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random

from loaders import ledger
from loaders.bdgd.layers import RAW_TABLES
from loaders.bdgd.leaves import ASIDE
from loaders.errors import DatabaseFailure, InvalidInput
from loaders.gate.hold import audit
from loaders.open_data import made_up
from loaders.safra import Safra, listed
from loaders.synthetic import aicss_sample

REMOVAL = "remover safra"
"""``acao`` in controle.auditoria."""
EXAMPLE = Safra.from_key("65000-2024")
"""No distributor of ANEEL's: made-up units never stand among, or replace, real ones."""
EXAMPLE_FILE = "sintetico_65000_2024.gdb.zip"
SAMPLE = Path(aicss_sample.__file__).parent

_PATIENCE_S = 120
_FROM_RAW = ("raw.rejeitado", "controle.entrega", "controle.veredito", "controle.carga_soma")
_FROM_RAW += ("controle.safra_importada", "intel_lead.qualidade_validacao")
_FROM_RAW += ("raw.previsao_energia", "raw.previsao_desempenho")
_FROM_RAW += ("raw.empresa_semelhanca", "controle.enriquecimento")
"""Tables with rows of a safra that the loader's role owns; its leaves come on top."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Content:
    """What the warehouse has of a safra: table → rows, raw and published."""

    safra: Safra
    rows: dict[str, int]

    def __str__(self) -> str:
        """One line for a person."""
        parts = ", ".join(f"{name} {count}" for name, count in self.rows.items())
        return f"safra {self.safra.key}: {parts or 'nada além de registros vazios'}"


def content(conn: psycopg.Connection, safra: Safra) -> Content:
    """Count what is there of a safra.

    Raises:
        InvalidInput: nothing of it is.
    """
    where = {"ano": safra.ano, "dist": safra.distribuidora_id}
    if not conn.execute(
        "select from controle.safra_importada where (ano, distribuidora_id) = (%(ano)s, %(dist)s)",
        where,
    ).rowcount:
        keys = [key for (key,) in conn.execute(_KEYS)]
        there = f"há {listed(keys)}" if keys else "não há nenhuma"
        raise InvalidInput(f"safra {safra.key}: não está no armazém; {there}")
    tables = conn.execute(
        "select n.nspname, r.relname from pg_inherits as i"
        " join pg_class as r on r.oid = i.inhparent"
        " join pg_namespace as n on n.oid = r.relnamespace"
        " join pg_class as f on f.oid = i.inhrelid"
        " where n.nspname = any('{raw,intel_lead}') and f.relname = r.relname || %s order by 1, 2",
        [f"_{safra.distribuidora_id}_{safra.ano}"],
    ).fetchall()
    query = "select count(*) from {} where (ano, distribuidora_id) = (%(ano)s, %(dist)s)"
    found = {
        f"{schema}.{table}": conn.execute(
            sql.SQL(query).format(sql.Identifier(schema, table)), where
        ).fetchone()[0]
        for schema, table in [*tables, ("raw", "rejeitado")]
    }
    return Content(safra, {name: count for name, count in found.items() if count})


_KEYS = (
    "select distribuidora_id || '-' || ano from controle.safra_importada"
    " order by ano desc, distribuidora_id"
)


def remove(conn: psycopg.Connection, safra: Safra, reason: str) -> Content:
    """Take a safra out of all that is read and built, and say in the ledger that it went.

    The ledger's rows stay. One transaction: killed at any moment, it is whole or gone. The caller
    holds the safra's lock.

    Raises:
        InvalidInput: it is not there.
        DatabaseFailure: its tables were in use for two minutes, or dbt's functions are of before.
    """
    found = content(conn, safra)
    details = {"motivo": reason, "linhas": found.rows}
    try:
        with conn.transaction():
            leaves = _take_out(conn, safra)
            audit(conn, action=REMOVAL, subject=safra.key, details=details)
    except psycopg.Error as error:
        why = error.diag.message_primary or type(error).__name__
        raise DatabaseFailure(f"safra {safra.key}: o PostgreSQL recusou: {why}") from None
    clean_up(conn, safra, leaves)
    return found


def _take_out(conn: psycopg.Connection, safra: Safra) -> list[str]:
    """All of it, inside the caller's transaction; returns the names of the leaves put aside."""
    attempts = Retrying(
        retry=retry_if_exception_type(
            (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
        ),
        wait=wait_random(0.2, 2.0),
        stop=stop_after_delay(_PATIENCE_S),
        reraise=True,
    )
    try:
        for attempt in attempts:
            with attempt, conn.transaction():
                conn.execute("set local lock_timeout = '1s'")
                _from_raw(conn, safra)
                return _from_published(conn, safra)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        raise DatabaseFailure(
            f"safra {safra.key}: suas tabelas ficaram em uso por {_PATIENCE_S} s; nada mudou:"
            " encerre as consultas longas (pg_stat_activity) e repita"
        ) from error
    raise AssertionError("tenacity returns or raises")


def _from_raw(conn: psycopg.Connection, safra: Safra) -> None:
    where = [safra.ano, safra.distribuidora_id]
    for layer in RAW_TABLES:
        leaf = f"{layer.table}_{safra.distribuidora_id}_{safra.ano}"
        for name in (leaf, leaf + ASIDE):
            conn.execute(
                sql.SQL("drop table if exists {}").format(sql.Identifier("raw_safra", name))
            )
    for table in _FROM_RAW:
        conn.execute(f"delete from {table} where (ano, distribuidora_id) = (%s, %s)", where)
    conn.execute(
        "update intel_lead.import_status set removida_em = clock_timestamp()"
        " where (ano, distribuidora_id) = (%s, %s) and removida_em is null"
        " and camada is not null and data_fim is not null",
        where,
    )


def _from_published(conn: psycopg.Connection, safra: Safra) -> list[str]:
    if conn.execute("select to_regclass('controle.safra_construida') is null").fetchone()[0]:
        return []  # dbt has never run here
    if conn.execute("select to_regproc('controle.retira_safra') is null").fetchone()[0]:
        raise DatabaseFailure(
            f"safra {safra.key}: as funções do dbt no banco são de uma versão anterior; nada"
            " mudou: rode `make build` uma vez e repita"
        )
    return conn.execute(
        "select controle.retira_safra(%s, %s)", [safra.ano, safra.distribuidora_id]
    ).fetchone()[0]


def clean_up(conn: psycopg.Connection, safra: Safra, leaves: list[str]) -> None:
    """Drop what was put aside; what is in use goes with the next build."""
    if not leaves:
        return
    try:
        for leaf in leaves:
            conn.execute("select controle.apaga_retirada(%s)", [leaf])
        if not conn.execute(
            "select from controle.safra_importada where distribuidora_id = %s",
            [safra.distribuidora_id],
        ).rowcount:
            conn.execute("select controle.esquece_distribuidora(%s)", [safra.distribuidora_id])
    except psycopg.Error as error:
        log.warning(
            "safra %s: saiu; o espaço em disco fica para a próxima construção (%s)",
            safra.key,
            type(error).__name__,
        )


def removed(conn: psycopg.Connection) -> set[str]:
    """Keys of the safras that were taken out and have not landed again."""
    rows = conn.execute(
        "select distinct distribuidora_id || '-' || ano from intel_lead.import_status as i"
        " where removida_em is not null and not exists (select from intel_lead.import_status as n"
        "  where (n.ano, n.distribuidora_id) = (i.ano, i.distribuidora_id)"
        "   and n.import_id > i.import_id and n.removida_em is null)"
    )
    return {key for (key,) in rows}


# ---- the example ---------------------------------------------------------------------------------


def holds_example(conn: psycopg.Connection) -> bool:
    """Whether the example that ``make run`` makes is landed; intel_api may not ask."""
    if not conn.execute(
        "select has_table_privilege('controle.safra_importada', 'select')"
    ).fetchone()[0]:
        return False
    return conn.execute(
        "select exists (select from controle.safra_importada as s"
        " join intel_lead.import_status as i using (import_id)"
        " where (s.ano, s.distribuidora_id) = (%s, %s) and i.arquivo = %s)",
        [EXAMPLE.ano, EXAMPLE.distribuidora_id, EXAMPLE_FILE],
    ).fetchone()[0]


def holds_real_data(conn: psycopg.Connection) -> bool:
    """Whether anything but the example is there: the example is for an empty warehouse."""
    if conn.execute(
        "select from controle.safra_importada where (ano, distribuidora_id) <> (%s, %s) limit 1",
        [EXAMPLE.ano, EXAMPLE.distribuidora_id],
    ).rowcount:
        return True
    if conn.execute("select to_regclass('controle.aicss_arquivo') is null").fetchone()[0]:
        return False
    return conn.execute(
        "select exists (select from controle.aicss_arquivo where sha256 <> all(%s))",
        [sample_hashes()],
    ).fetchone()[0]


def sample_hashes() -> list[str]:
    """Content hashes of the AICSS sample that is landed with the example, wherever it lay."""
    files = [f for f in sorted(SAMPLE.iterdir()) if f.suffix in (".log", ".csv", ".jsonl")]
    return [hashlib.sha256(f.read_bytes()).hexdigest() for f in files]


def take_example_away(conn: psycopg.Connection) -> list[str] | None:
    """In the transaction that lands the first real file: the example goes, or that file stays out.

    Returns:
        None when there is no example; else what ``finish`` takes once the transaction is over.
    """
    if not holds_example(conn):
        return None
    ledger.lock(conn, [EXAMPLE], wait=True)
    if not holds_example(conn):  # another first file took it away meanwhile
        return None
    leaves = _take_out(conn, EXAMPLE)
    _sample_out(conn)
    made_up.forget_all(conn)
    audit(
        conn,
        action=REMOVAL,
        subject=EXAMPLE.key,
        details={"motivo": "exemplo: chegaram os primeiros dados do usuário"},
    )
    return leaves


def finish(conn: psycopg.Connection, leaves: list[str] | None) -> None:
    """Say that the example went, and drop what was put aside."""
    if leaves is None:
        return
    clean_up(conn, EXAMPLE, leaves)
    log.warning(
        "exemplo retirado: a safra %s e o que veio com ela, que era inventado, deram lugar"
        " aos seus dados",
        EXAMPLE.key,
    )


def _sample_out(conn: psycopg.Connection) -> None:
    if conn.execute("select to_regclass('controle.aicss_arquivo') is null").fetchone()[0]:
        return
    # A path whose content was the sample's and then another's is the user's.
    names = conn.execute(
        "select coalesce(array_agg(arquivo), '{}') from (select arquivo from"
        " controle.aicss_arquivo group by arquivo having bool_and(sha256 = any(%s))) as f",
        [sample_hashes()],
    ).fetchone()
    (readings,) = conn.execute(
        "with apagada as (delete from raw.aicss_leitura where arquivo = any(%s)"
        " returning leitura_id) select coalesce(array_agg(leitura_id), '{}') from apagada",
        names,
    ).fetchone()
    conn.execute(
        "delete from raw.aicss_dispositivo as d where not exists"
        " (select from raw.aicss_leitura as l where l.dispositivo_id = d.dispositivo_id)"
    )
    conn.execute("delete from raw.rejeitado where origem = 'aicss' and arquivo = any(%s)", names)
    conn.execute("delete from controle.aicss_arquivo where arquivo = any(%s)", names)
    if conn.execute("select to_regproc('controle.retira_leituras') is not null").fetchone()[0]:
        conn.execute("select controle.retira_leituras(%s)", [readings])
