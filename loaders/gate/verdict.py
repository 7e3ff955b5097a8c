"""The verdict on a landed safra: the whole gate, comparison and expectations, on one import.

Belongs here: who is judged, in which order, and what is remembered. Not here: what is looked at
(comparison.py, inspection.py, rules.py), how Great Expectations runs (expectations.py), what a hold
does (hold.py).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg.types.json import Jsonb

from loaders import ledger
from loaders.errors import InvalidInput
from loaders.gate import expectations, hold
from loaders.gate.evidence import DOOR, Finding, said
from loaders.gate.expectations import Figure, Result
from loaders.gate.inspection import inspect
from loaders.gate.references import compare_all, landed
from loaders.gate.units import Content
from loaders.safra import Safra


@dataclass(frozen=True)
class Verdict:
    """What the gate says of one import of one safra; a new landing needs a new one.

    Attributes:
        safra: which.
        import_id: controle.safra_importada.import_id that was judged.
        results: what each expectation saw.
        findings: what speaks against publishing it, released or not.
        held: why the safra is held now; None where it may be published.
    """

    safra: Safra
    import_id: int
    results: tuple[Result, ...]
    findings: tuple[Finding, ...]
    held: str | None

    def of(self, layer: str) -> list[Result]:
        """What the expectations saw of one layer (``UCBT``)."""
        return [r for r in self.results if r.layer == layer]


@dataclass(frozen=True)
class Evidence:
    """What was counted of one import: findings so far, and figures for Great Expectations."""

    safra: Safra
    import_id: int
    findings: list[Finding]
    figures: list[Figure]


class _BeingLanded(Exception):  # noqa: N818
    """Its verdict would be of what is about to be replaced."""


def judge(conn: psycopg.Connection, key: str) -> Verdict:
    """Judge what is landed of a safra, keep the verdict, and hold the safra if it has to be.

    Raises:
        InvalidInput: the safra is not landed.
    """
    (verdict,) = _conclude(conn, [_gather(conn, Safra.from_key(key), wait=True)])
    return verdict


def pending(conn: psycopg.Connection) -> list[Safra]:
    """The landed safras whose current import has no verdict yet."""
    found = conn.execute(
        "select distribuidora_id, data_base from controle.safra_importada as i"
        " where not exists (select from controle.veredito as v"
        "  where (v.ano, v.distribuidora_id, v.import_id)"
        "   = (i.ano, i.distribuidora_id, i.import_id))"
        " order by ano, distribuidora_id"
    )
    return [Safra.from_date(*row) for row in found.fetchall()]


def judge_pending(conn: psycopg.Connection) -> list[Verdict]:
    """Judge every landed safra whose current import has no verdict yet.

    One that is being landed again at this moment is left for the next call.
    """
    evidence = []
    for safra in pending(conn):
        with suppress(_BeingLanded, InvalidInput):
            evidence.append(_gather(conn, safra, wait=False))
    return _conclude(conn, evidence)


def _gather(conn: psycopg.Connection, safra: Safra, *, wait: bool) -> Evidence:
    """Count, in one transaction that keeps a landing of the same safra out meanwhile."""
    with conn.transaction():
        lock = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
        (free,) = conn.execute(
            f"select {lock}(%s, %s)", [ledger.LOCK_CLASS, safra.lock_key]
        ).fetchone()
        if not wait and not free:
            raise _BeingLanded
        conn.execute("set local jit = off")
        row = conn.execute(
            "select data_base, import_id from controle.safra_importada"
            " where (ano, distribuidora_id) = (%s, %s)",
            [safra.ano, safra.distribuidora_id],
        ).fetchone()
        there = landed(conn, safra)
        if not row or there is None:
            raise InvalidInput(f"safra {safra.key}: não aterrissou; make run BDGD=ARQUIVO")
        safra = Safra.from_date(safra.distribuidora_id, row[0])
        content = Content(there.current, there.absent, there.lacking)
        findings = [f for f in hold.held_for(conn, safra) if f.reference == DOOR]
        findings += compare_all(conn, safra, content, complete=there.complete, replaced=there.aside)
        findings += inspect(conn, content)
        return Evidence(safra, row[1], findings, expectations.figures(conn, safra))


def _conclude(conn: psycopg.Connection, evidence: Sequence[Evidence]) -> list[Verdict]:
    """Have the figures of all judged at once; write each verdict."""
    results = iter(expectations.judge([f for one in evidence for f in one.figures]))
    return [_write(conn, one, [next(results) for _ in one.figures]) for one in evidence]


def _structure(results: Sequence[Result]) -> list[Finding]:
    return [
        Finding(
            r.rule.name,
            f"{r.layer} {r.rule.column}".rstrip(),
            f"{r.layer}: falhou {r.rule.name} {r.rule.column} {r}",
        )
        for r in expectations.failures(results, "estrutura")
    ]


def _write(conn: psycopg.Connection, one: Evidence, results: list[Result]) -> Verdict:
    """Keep results and verdict; hold the safra, or let go what its content replaced."""
    safra, findings = one.safra, [*one.findings, *_structure(results)]
    with conn.transaction():
        expectations.keep(conn, safra, one.import_id, results)
        free = hold.released(conn, safra)
        against = [finding for finding in findings if finding.id not in free]
        conn.execute(
            "insert into controle.veredito (ano, distribuidora_id, import_id, aprovada, achados)"
            " values (%s, %s, %s, %s, %s) on conflict (ano, distribuidora_id, import_id)"
            " do update set aprovada = excluded.aprovada, achados = excluded.achados,"
            " julgada_em = clock_timestamp()",
            [
                safra.ano,
                safra.distribuidora_id,
                one.import_id,
                not against,
                Jsonb([finding.stored for finding in findings]),
            ],
        )
        if against:
            hold.hold(conn, safra, one.import_id, against, _layers(against))
        else:
            if hold.held_for(conn, safra):
                hold.accept(conn, safra, "retida, e o portão não vê mais o motivo")
            hold.approve(conn, safra, one.import_id)
    held = said(against) if against else None
    return Verdict(safra, one.import_id, tuple(results), tuple(findings), held)


def _layers(findings: Sequence[Finding]) -> set[str]:
    """The layers whose files have to land again; one over all layers is about all of them."""
    named = {finding.where.split()[0] for finding in findings if finding.where}
    every = {"UCAT", "UCMT", "UCBT", "PONNOT"}
    return named if named <= every else every
