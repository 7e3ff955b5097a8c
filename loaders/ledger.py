"""The import ledger and the locks that make it true.

Belongs here: import_status, controle.safra_importada, advisory locks. Not here: rows of a layer.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from loaders.bdgd.layers import COMPLEMENTS, Layer
from loaders.errors import DatabaseFailure
from loaders.safra import Safra

LOCK_CLASS = 0x42444744
"""'BDGD': first key of the advisory lock; the second is ``Safra.lock_key``."""
DBT_LOCK = "hashtextextended('intel_lead dbt', 0)"
"""Key, as SQL, of the advisory lock that one dbt build at a time holds; a backup shares it."""
PARTIAL = "carga parcial do arquivo"
"""Observation on a load that took only some of its file's safras."""

_WAIT_FOR_DEAD = "5s"
_COMPLEMENTS = [layer.name for layer in COMPLEMENTS.values()]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counts:
    """What one execution did with one layer of one safra; ``error`` says why it is held."""

    processed: int
    rejected: int
    remarks: str | None
    error: str | None = None


def already_landed(
    conn: psycopg.Connection, sha256: str, asked: set[str] | None, *, complement: bool = False
) -> list[str]:
    """Keys of the safras whose current rows are this very content, if nothing is left to do.

    A held delivery too is landed, though its executions say failed.

    Args:
        conn: connection.
        sha256: of the file.
        asked: keys of the safras to land; None for all that the file has.
        complement: landed beside a geodatabase, which is another landing than in its place.
    """
    status_word = conn.execute(
        """
        with retidas as (select import_id from controle.entrega where not aceita),
        do_arquivo as (
            select distinct on (ano, distribuidora_id, camada) *
            from intel_lead.import_status
            where sha256 = %s and (camada = any(%s::intel_lead.camada_enum[])) = %s and (
                status = 'completed' or removida_em is not null
                or import_id in (select import_id from retidas)
            )
            order by ano, distribuidora_id, camada, import_id desc
        )
        select
            a.distribuidora_id || '-' || a.ano,
            bool_and(a.removida_em is null and s.import_id is not null and not exists (
                select from intel_lead.import_status as b
                where (b.ano, b.distribuidora_id, b.camada) = (a.ano, a.distribuidora_id, a.camada)
                    and (b.status = 'completed' or b.import_id in (select import_id from retidas))
                    and b.import_id > a.import_id
            )),
            bool_or(strpos(coalesce(a.observacoes, ''), %s) > 0)
        from do_arquivo as a
        left join controle.safra_importada as s using (ano, distribuidora_id)
        group by a.distribuidora_id, a.ano
        """,
        [sha256, _COMPLEMENTS, complement, PARTIAL],
    ).fetchall()
    if asked is None:
        whole_number = all(
            is_current and not partial_load for _, is_current, partial_load in status_word
        )
        return sorted(key for key, *_ in status_word) if whole_number else []
    current = {key for key, is_current, _ in status_word if is_current}
    return sorted(asked) if asked <= current else []


def landed(conn: psycopg.Connection) -> set[str]:
    """Keys of all landed safras."""
    rows = conn.execute("select distribuidora_id || '-' || ano from controle.safra_importada")
    return {key for (key,) in rows}


def complements(conn: psycopg.Connection, hashes: Iterable[str]) -> list[tuple[str, str]]:
    """Of what landed beside a geodatabase from these contents: safra, what its ledger row notes."""
    return conn.execute(
        "select distinct on (ano, distribuidora_id, camada)"
        " distribuidora_id || '-' || ano, observacoes from intel_lead.import_status"
        " where sha256 = any(%s) and camada = any(%s::intel_lead.camada_enum[])"
        " and status = 'completed' and removida_em is null"
        " order by ano, distribuidora_id, camada, import_id desc",
        [list(hashes), _COMPLEMENTS],
    ).fetchall()


def lacking_layers(
    conn: psycopg.Connection, sha256: str, keys: Iterable[str], layers: Iterable[Layer]
) -> list[str]:
    """Of these safras, those that this very file brought before the code knew all of its layers.

    A CSV brings one layer, and lacks none.
    """
    found = conn.execute(
        "select distribuidora_id || '-' || ano from intel_lead.import_status"
        " where sha256 = %s and distribuidora_id || '-' || ano = any(%s)"
        " and camada <> all(%s::intel_lead.camada_enum[])"
        " group by 1 having count(distinct camada) between 2 and %s order by 1",
        [sha256, list(keys), _COMPLEMENTS, len(tuple(layers)) - 1],
    )
    return [key for (key,) in found]


def safras_from_geodatabase(
    conn: psycopg.Connection, safras: Iterable[Safra], layer: Layer
) -> list[str]:
    """Of these, the keys whose current rows of a layer came with a whole geodatabase.

    A geodatabase has a ledger row for each of its layers, a CSV only for its own.
    """
    found = conn.execute(
        """
        with atual as (
            select distinct on (ano, distribuidora_id) *
            from intel_lead.import_status
            where camada = %s and status = 'completed' and removida_em is null
            order by ano, distribuidora_id, import_id desc
        )
        select a.distribuidora_id || '-' || a.ano
        from atual as a
        where a.linhas_processadas > 0 and exists (
            select from intel_lead.import_status as b
            where (b.ano, b.distribuidora_id, b.sha256) = (a.ano, a.distribuidora_id, a.sha256)
                and b.camada = 'PONNOT'
        )
        """,
        [layer.name],
    )
    asked = {safra.key for safra in safras}
    return sorted(key for (key,) in found if key in asked)


def lock(conn: psycopg.Connection, safras: Iterable[Safra], *, wait: bool) -> None:
    """Hold every safra's lock until the connection ends.

    Even without ``wait`` it waits a little: the server needs a moment to notice that a killed
    loader is gone, and the rerun that heals must not be refused.

    Raises:
        DatabaseFailure: another process is landing one of them, and we do not wait.
    """
    for safra in sorted(safras):
        keys = (LOCK_CLASS, safra.lock_key)
        if wait and (owner := _owner(conn, keys)):
            log.info("safra %s: esperando o processo %s", safra.key, owner)
        try:
            with conn.transaction():
                waiting = "0" if wait else _WAIT_FOR_DEAD
                conn.execute("select set_config('lock_timeout', %s, true)", [waiting])
                conn.execute("select pg_advisory_lock(%s, %s)", keys)
        except psycopg.errors.LockNotAvailable as error:
            raise DatabaseFailure(
                f"safra {safra.key}: o processo {_owner(conn, keys)} já a está carregando;"
                " repita depois, ou use --esperar"
            ) from error


def _owner(conn: psycopg.Connection, keys: tuple[int, int]) -> str | None:
    row = conn.execute(
        "select pid || coalesce(' (' || application_name || ')', '') from pg_locks"
        " join pg_stat_activity using (pid) where locktype = 'advisory' and granted"
        " and (classid, objid) = (%s::oid, %s::oid)",
        keys,
    ).fetchone()
    return row[0] if row else None


def open_data(conn: psycopg.Connection) -> str:
    """Which open data are landed: each dataset with its newest file, steps of enrichment."""
    (found,) = conn.execute(
        "select coalesce(string_agg(conjunto || ' ' || newest, ' ' order by conjunto), '')"
        " || ' ' || (select md5(coalesce(string_agg(e::text, ' ' order by e::text), ''))"
        " from controle.enriquecimento_da_safra as e) from"
        " (select conjunto, max(arquivo_id) as newest from controle.aberto_arquivo"
        " group by conjunto) as a"
    ).fetchone()
    return found


def latest_executions(conn: psycopg.Connection, how_many: int) -> list[tuple[object, ...]]:
    """Newest executions first, as ``status`` shows them."""
    return conn.execute(
        "select import_id, coalesce(distribuidora_id || '-' || ano, '?'), camada, status,"
        " linhas_processadas, linhas_rejeitadas, date_trunc('second', data_inicio), arquivo,"
        " nullif(concat_ws('; ', coalesce(erro, observacoes), 'removida em '"
        " || date_trunc('second', removida_em)), '') from intel_lead.import_status"
        " order by import_id desc limit %s",
        [how_many],
    ).fetchall()


def close_abandoned(conn: psycopg.Connection, safras: Iterable[Safra]) -> None:
    """Mark as failed what a dead process left running; the caller holds the safras' locks."""
    for safra in safras:
        conn.execute(
            "update intel_lead.import_status set status = 'failed', data_fim = clock_timestamp(),"
            " erro = 'processo interrompido'"
            " where (ano, distribuidora_id) = (%s, %s) and status in ('pending', 'running')",
            [safra.ano, safra.distribuidora_id],
        )


def close_dead(conn: psycopg.Connection, keys: Iterable[str]) -> None:
    """The same for who holds no lock and waits for none: a safra that has one is being landed."""
    open_ones = conn.execute(
        "select distinct distribuidora_id || '-' || ano from intel_lead.import_status"
        " where status in ('pending', 'running') and distribuidora_id || '-' || ano = any(%s)",
        [list(keys)],
    ).fetchall()
    for safra in (Safra.from_key(key) for (key,) in open_ones):
        with conn.transaction():
            (free,) = conn.execute(
                "select pg_try_advisory_xact_lock(%s, %s)", [LOCK_CLASS, safra.lock_key]
            ).fetchone()
            if free:
                close_abandoned(conn, [safra])


def begin(
    conn: psycopg.Connection, safra: Safra, layers: Iterable[Layer], *, file: str, sha256: str
) -> dict[str, int]:
    """Open one running execution per layer; returns layer name → import_id."""
    ids = {}
    with conn.transaction():
        for layer in layers:
            row = conn.execute(
                "insert into intel_lead.import_status"
                " (distribuidora_id, ano, camada, status, arquivo, sha256)"
                " values (%s, %s, %s, 'running', %s, %s) returning import_id",
                [safra.distribuidora_id, safra.ano, layer.name, file, sha256],
            ).fetchone()
            assert row is not None
            ids[layer.name] = row[0]
    return ids


def conclude(
    conn: psycopg.Connection,
    safra: Safra,
    counts: dict[int, Counts],
    *,
    held_reason: str | None = None,
) -> None:
    """Close the executions and show dbt the new safra; inside the transaction that swaps leaves.

    What is held says failed, and the rows that the accepted one rejected are kept.
    """
    close(conn, counts)
    conn.execute(
        "insert into controle.safra_importada as s"
        " (ano, distribuidora_id, import_id, data_base, retida, motivo_retencao)"
        " values (%s, %s, %s, %s, %s, %s) on conflict (ano, distribuidora_id) do update"
        " set import_id = excluded.import_id, data_base = excluded.data_base,"
        " retida = excluded.retida, motivo_retencao = excluded.motivo_retencao,"
        " importada_em = clock_timestamp()",
        [
            safra.ano,
            safra.distribuidora_id,
            max(counts),
            safra.data_base,
            held_reason is not None,
            held_reason,
        ],
    )


def renew(conn: psycopg.Connection, safra: Safra, import_id: int) -> None:
    """Show dbt that a landed safra has more than it had; held or not, it stays so."""
    conn.execute(
        "update controle.safra_importada set import_id = %s, importada_em = clock_timestamp()"
        " where (ano, distribuidora_id) = (%s, %s)",
        [import_id, safra.ano, safra.distribuidora_id],
    )


def close(conn: psycopg.Connection, counts: dict[int, Counts]) -> None:
    """Close executions, and forget what earlier ones of their layers rejected."""
    conn.execute(
        "delete from raw.rejeitado as r using intel_lead.import_status as i"
        " where i.import_id = any(%s) and r.origem = i.camada::text"
        " and r.import_id <> i.import_id"
        " and (r.ano, r.distribuidora_id) = (i.ano, i.distribuidora_id)",
        [[import_id for import_id, count in counts.items() if not count.error]],
    )
    for import_id, count in counts.items():
        conn.execute(
            "update intel_lead.import_status set status = %s::intel_lead.status_enum,"
            " linhas_processadas = %s, linhas_rejeitadas = %s, observacoes = %s, erro = %s,"
            " data_fim = clock_timestamp() where import_id = %s",
            [
                "failed" if count.error else "completed",
                count.processed,
                count.rejected,
                count.remarks,
                count.error,
                import_id,
            ],
        )


def fail(conn: psycopg.Connection, import_ids: Iterable[int], error: str) -> None:
    """Close running executions as failed."""
    conn.execute(
        "update intel_lead.import_status set status = 'failed', erro = %s,"
        " data_fim = clock_timestamp() where import_id = any(%s) and status = 'running'",
        [error, list(import_ids)],
    )


def record_failure(
    conn: psycopg.Connection,
    safras: Iterable[Safra | None],
    *,
    file: str,
    sha256: str | None,
    error: str,
) -> None:
    """A failed execution for a file that got no further than its safra, or not even there."""
    for safra in safras:
        conn.execute(
            "insert into intel_lead.import_status"
            " (distribuidora_id, ano, status, arquivo, sha256, erro, data_fim)"
            " values (%s, %s, 'failed', %s, %s, %s, clock_timestamp())",
            [safra and safra.distribuidora_id, safra and safra.ano, file, sha256, error],
        )
