"""Holding a safra, accepting it, releasing it, and the record of who did what.

Belongs here: the state of a delivery and what changes it. Not here: why (comparison.py, rules.py),
landing (bdgd.py). A held safra is landed and is not published; what is published stays.
"""

import logging
import os
import pwd
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from loaders.errors import InvalidInput
from loaders.gate.evidence import DOOR, Finding, said
from loaders.gate.references import landed
from loaders.safra import Safra, listed

RELEASE = "liberar safra"
"""``acao`` in controle.auditoria."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivered:
    """What landed of one layer of one safra.

    Attributes:
        import_id: its row in the ledger.
        rows: landed.
        kwh: over all its months.
        present: whether the file has the layer, even without a row.
        lacking: whether a person said that this copy lacks it.
    """

    import_id: int
    rows: int
    kwh: float
    present: bool
    lacking: bool = False


def record(
    conn: psycopg.Connection,
    safra: Safra,
    layers: Mapping[str, Delivered],
    *,
    complete: bool,
    accepted: bool,
) -> None:
    """Remember what landed in place of what was there, and whether the comparison took it."""
    conn.execute(
        "delete from controle.entrega"
        " where (ano, distribuidora_id) = (%s, %s) and camada = any(%s)",
        [safra.ano, safra.distribuidora_id, list(layers)],
    )
    with conn.cursor() as cursor:
        cursor.executemany(
            "insert into controle.entrega (ano, distribuidora_id, camada, import_id, completa,"
            " linhas, energia_kwh, presente, ausencia_declarada, aceita)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (safra.ano, safra.distribuidora_id, name, d.import_id, complete)
                + (d.rows, d.kwh, d.present, d.lacking, accepted)
                for name, d in layers.items()
            ],
        )


def note(conn: psycopg.Connection, safra: Safra, findings: Iterable[Finding]) -> None:
    """Keep the findings of a landing that holds its safra, beside the reason in words."""
    conn.execute(
        "update controle.safra_importada set achados = %s where (ano, distribuidora_id) = (%s, %s)",
        [Jsonb([f.stored for f in findings]), safra.ano, safra.distribuidora_id],
    )


def pending_reason(conn: psycopg.Connection, safra: Safra, layers: Iterable[str]) -> str | None:
    """Why a safra stays held whatever lands in ``layers``: other layers of it wait."""
    row = conn.execute(
        "select motivo_retencao from controle.safra_importada as s"
        " where (ano, distribuidora_id) = (%s, %s) and retida and exists ("
        "  select from controle.entrega as e"
        "  where (e.ano, e.distribuidora_id) = (s.ano, s.distribuidora_id)"
        "   and not aceita and camada <> all(%s))",
        [safra.ano, safra.distribuidora_id, list(layers)],
    ).fetchone()
    return row[0] if row else None


def remedy(key: str) -> str:
    """What a person does about a held safra."""
    return (
        "confira o arquivo e carregue o certo, ou aceite este:"
        f' .venv/bin/python -m loaders liberar {key} --motivo "…"'
    )


def held(conn: psycopg.Connection, keys: Iterable[str]) -> dict[str, str]:
    """Of these safras, the held ones, with the reason."""
    return dict(
        conn.execute(
            "select distribuidora_id || '-' || ano, motivo_retencao from controle.safra_importada"
            " where retida and distribuidora_id || '-' || ano = any(%s) order by 1",
            [list(keys)],
        ).fetchall()
    )


def refuse(conn: psycopg.Connection, keys: Collection[str]) -> None:
    """Say at once, before anything is started, which of these safras cannot be built.

    Raises:
        InvalidInput: one is not landed, or held.
    """
    rows = conn.execute("select distribuidora_id || '-' || ano from controle.safra_importada")
    if unknown := sorted(set(keys) - {key for (key,) in rows}):
        raise InvalidInput(
            f"{listed(unknown)}: não aterrissou; make status diz o que há, make run BDGD=ARQUIVO"
            " aterrissa"
        )
    if lines := [f"safra {k} retida: {why}; {remedy(k)}" for k, why in held(conn, keys).items()]:
        raise InvalidInput("\n".join(lines))


def hold(
    conn: psycopg.Connection,
    safra: Safra,
    import_id: int,
    findings: Collection[Finding],
    layers: Collection[str],
) -> bool:
    """Hold a landed safra for these findings; False when it was landed again meanwhile.

    Not accepted are the files of ``layers``, those that failed: no other has to land again, and
    what they replaced is the reference.
    """
    with conn.transaction():
        changed = conn.execute(
            "update controle.safra_importada"
            " set retida = true, motivo_retencao = %s, achados = %s"
            " where (ano, distribuidora_id, import_id) = (%s, %s, %s)",
            [
                said(findings),
                Jsonb([finding.stored for finding in findings]),
                safra.ano,
                safra.distribuidora_id,
                import_id,
            ],
        ).rowcount
        if changed:
            _refuse(conn, safra, list(layers), f"safra retida: {said(findings)}")
    return bool(changed)


def _refuse(conn: psycopg.Connection, safra: Safra, layers: list[str], error: str) -> None:
    refused = conn.execute(
        """
        with of_safra as (
            select e.camada, e.import_id, i.sha256
            from controle.entrega as e left join intel_lead.import_status as i using (import_id)
            where (e.ano, e.distribuidora_id) = (%(ano)s, %(dist)s) and e.aceita
        )
        update controle.entrega as e set aceita = false from of_safra as o
        where (e.ano, e.distribuidora_id) = (%(ano)s, %(dist)s) and e.camada = o.camada
            and (o.camada = any(%(layers)s)
                or o.sha256 in (select sha256 from of_safra where camada = any(%(layers)s)))
        returning e.import_id
        """,
        {"ano": safra.ano, "dist": safra.distribuidora_id, "layers": layers},
    ).fetchall()
    conn.execute(
        "update intel_lead.import_status set status = 'failed', erro = %s"
        " where import_id = any(%s) and status = 'completed'",
        [error, [import_id for (import_id,) in refused]],
    )


def approve(conn: psycopg.Connection, safra: Safra, import_id: int) -> None:
    """The verdict on an import has passed: what it replaced is no reference any more."""
    with conn.transaction():
        current = conn.execute(
            "select from controle.safra_importada where not retida"
            " and (ano, distribuidora_id, import_id) = (%s, %s, %s) for update",
            [safra.ano, safra.distribuidora_id, import_id],
        ).fetchone()
        there = landed(conn, safra)
        if current is not None and there:
            for leaf in there.aside.values():
                conn.execute(sql.SQL("drop table {}").format(leaf))


def released(conn: psycopg.Connection, safra: Safra) -> set[str]:
    """Ids of the findings that a person has released of what is landed now.

    A release is of one import: of a safra that came in several files it stays in force while the
    file that it was given for is still the one that is landed.
    """
    found = conn.execute(
        "select unnest(achados) from controle.liberacao as l"
        " where (ano, distribuidora_id) = (%(ano)s, %(dist)s) and import_id in ("
        "  select import_id from controle.entrega"
        "  where (ano, distribuidora_id) = (%(ano)s, %(dist)s)"
        "  union all select import_id from controle.safra_importada"
        "  where (ano, distribuidora_id) = (%(ano)s, %(dist)s))",
        {"ano": safra.ano, "dist": safra.distribuidora_id},
    )
    return {finding for (finding,) in found}


def held_for(conn: psycopg.Connection, safra: Safra) -> list[Finding]:
    """The findings that hold a safra; none where it is not held."""
    row = conn.execute(
        "select achados, motivo_retencao from controle.safra_importada"
        " where (ano, distribuidora_id) = (%s, %s) and retida",
        [safra.ano, safra.distribuidora_id],
    ).fetchone()
    if not row:
        return []
    findings, reason = row
    # Held by a version that kept the reason in words only: nothing can find it again.
    in_words = [Finding("retencao", "", reason, DOOR)]
    return [Finding.of_stored(kept) for kept in findings] or in_words


def accept(conn: psycopg.Connection, safra: Safra, remark: str) -> int:
    """End a hold: what is landed counts from now on; the ledger says why. Returns the import."""
    place = {"ano": safra.ano, "dist": safra.distribuidora_id}
    with conn.transaction():
        (import_id,) = conn.execute(
            "update controle.safra_importada"
            " set retida = false, motivo_retencao = null, achados = '[]'"
            " where (ano, distribuidora_id) = (%(ano)s, %(dist)s) returning import_id",
            place,
        ).fetchone()
        conn.execute(
            "update intel_lead.import_status as i set status = 'completed', erro = null,"
            " observacoes = concat_ws('; ', observacoes, %(remark)s::text)"
            " from controle.entrega as e where i.import_id = e.import_id and not e.aceita"
            " and (e.ano, e.distribuidora_id) = (%(ano)s, %(dist)s)",
            place | {"remark": remark},
        )
        conn.execute(
            "delete from raw.rejeitado as r using controle.entrega as e"
            " where not e.aceita and (e.ano, e.distribuidora_id) = (%(ano)s, %(dist)s)"
            " and (r.ano, r.distribuidora_id, r.origem) = (e.ano, e.distribuidora_id, e.camada)"
            " and r.import_id <> e.import_id",
            place,
        )
        conn.execute(
            "update controle.entrega set aceita = true"
            " where (ano, distribuidora_id) = (%(ano)s, %(dist)s)",
            place,
        )
    return import_id


def release(conn: psycopg.Connection, safra: Safra, reason: str) -> None:
    """Accept a held safra in spite of the findings that hold it now, and of no others.

    The caller holds the safra's lock. Who, when and why go to controle.liberacao and
    controle.auditoria.

    Raises:
        InvalidInput: it is not held.
    """
    user = system_user()
    with conn.transaction():
        if not (findings := held_for(conn, safra)):
            raise InvalidInput(f"safra {safra.key}: não está retida, nada a liberar")
        import_id = accept(conn, safra, f"retida e liberada por {user}: {reason}")
        ids = [finding.id for finding in findings]
        conn.execute(
            "insert into controle.liberacao"
            " (ano, distribuidora_id, import_id, achados, motivo, usuario_so)"
            " values (%s, %s, %s, %s, %s, %s)",
            [safra.ano, safra.distribuidora_id, import_id, ids, reason, user],
        )
        conn.execute(
            "update controle.veredito set aprovada = true"
            " where (ano, distribuidora_id, import_id) = (%s, %s, %s)",
            [safra.ano, safra.distribuidora_id, import_id],
        )
        audit(
            conn,
            action=RELEASE,
            subject=safra.key,
            details={
                "motivo": reason,
                "retencao": said(findings),
                "achados": ids,
                "import_id": import_id,
            },
        )
        if _judged(conn, safra, import_id):
            approve(conn, safra, import_id)
    log.warning("safra %s: liberada por %s: %s", safra.key, user, reason)


def _judged(conn: psycopg.Connection, safra: Safra, import_id: int) -> bool:
    found = conn.execute(
        "select from controle.veredito where (ano, distribuidora_id, import_id) = (%s, %s, %s)",
        [safra.ano, safra.distribuidora_id, import_id],
    )
    return found.fetchone() is not None


def audit(
    conn: psycopg.Connection, *, action: str, subject: str, details: Mapping[str, object]
) -> None:
    """Write who did what to what; the database adds its own user and the time."""
    conn.execute(
        "insert into controle.auditoria (usuario_so, acao, objeto, detalhes)"
        " values (%s, %s, %s, %s)",
        [system_user(), action, subject, Jsonb(dict(details))],
    )


def system_user() -> str:
    """Who runs this process; the number where a container gives it no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
