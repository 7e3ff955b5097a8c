"""Incidents: what is wrong is told once, and again when it gets worse or is over.

Belongs here: app.incidente, what goes into the outbox. Not here: finding (questions.py), sending
(alerts/delivery.py). Recipients: INTEL_AVISOS, e-mail addresses and names of webhooks by commas.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
from psycopg.types.json import Jsonb

from alerts import delivery
from health import questions
from health.finding import Finding, Severity
from loaders import environment

RECIPIENTS = "INTEL_AVISOS"
_OPEN = "select chave, id, gravidade from app.incidente where fechado_em is null for update"
_ADD = """
    insert into app.incidente (chave, gravidade, o_que, motivo, comando, aberto_em, visto_em)
    values (%(chave)s, %(gravidade)s, %(o_que)s, %(motivo)s, %(comando)s, %(agora)s, %(agora)s)
    returning id"""
_SEEN = """
    update app.incidente set gravidade = %(gravidade)s, o_que = %(o_que)s, motivo = %(motivo)s,
        comando = %(comando)s, visto_em = %(agora)s
    where id = %(id)s"""
_CLOSE = """
    update app.incidente set fechado_em = %s where id = %s
    returning chave, gravidade, o_que, motivo, comando, aberto_em"""
_TELL = """
    insert into app.entrega (assunto, referencia, destino, corpo, proxima_em, criada_em)
    values ('incidente', %s, %s, %s, %s, %s) on conflict do nothing"""
_LOCK = "select pg_advisory_xact_lock(hashtext('intel_lead.incidentes'))"


@dataclass
class Watched:
    """What a look changed.

    Attributes:
        now: all that is wrong.
        opened, closed: lines.
        sent: what became of the outbox.
    """

    now: list[Finding]
    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    sent: delivery.Sent | None = None

    def __str__(self) -> str:
        """One line."""
        news = [*(f"abre: {x}" for x in self.opened), *(f"acabou: {x}" for x in self.closed)]
        said = "; ".join(news) or f"{len(self.now)} abertos, nenhum novo"
        return (
            f"{said} ({self.sent})"
            if self.sent and (self.sent.delivered or self.sent.errors)
            else said
        )


def recipients() -> list[str]:
    """Who is told; none: incidents are kept, and nobody is told."""
    given = environment.read_file(environment.USER_FILE) | dict(os.environ)
    return sorted({x.strip() for x in given.get(RECIPIENTS, "").split(",") if x.strip()})


def watch(conn: psycopg.Connection, now: datetime | None = None) -> Watched:
    """Look, keep what changed, tell it and send what is due; who dies before the end looks again.

    Args:
        conn: in autocommit, of the database's owner or of intel_carga.
        now: of the test's choice.
    """
    moment = now or datetime.now(UTC)
    watched = Watched(questions.found(conn))
    with conn.transaction():
        conn.execute(_LOCK)
        _note(conn, watched, moment, recipients())
    watched.sent = delivery.send(conn, moment)
    return watched


def _note(conn: psycopg.Connection, watched: Watched, now: datetime, whom: Iterable[str]) -> None:
    opened = {key: (number, severity) for key, number, severity in conn.execute(_OPEN)}
    for finding in watched.now:
        row = _row(finding) | {"agora": now}
        number, before = opened.pop(finding.key, (None, None))
        if number is None:
            (number,) = conn.execute(_ADD, row).fetchone()
        else:
            conn.execute(_SEEN, row | {"id": number})
        if before is None or (
            before == Severity.NOTICE.word and finding.severity > Severity.NOTICE
        ):
            watched.opened.append(finding.what)
            _tell(conn, f"{number} {finding.severity.word}", _body(row, now), now, whom)
    for number, _ in opened.values():
        key, severity, what, reason, command, since = conn.execute(_CLOSE, [now, number]).fetchone()
        watched.closed.append(what)
        row = {"chave": key, "gravidade": severity, "o_que": what, "motivo": reason}
        body = _body(row | {"comando": command}, since) | {
            "titulo": "resolvido",
            "fechado_em": _text(now),
        }
        _tell(conn, f"{number} resolvido", body, now, whom)


def _row(finding: Finding) -> dict[str, object]:
    return {
        "chave": finding.key,
        "gravidade": finding.severity.word,
        "o_que": finding.what,
        "motivo": finding.reason,
        "comando": finding.command,
    }


def _body(row: dict[str, object], since: datetime) -> dict[str, object]:
    """What the recipient reads: the same of both ways."""
    said = {key: row[key] for key in ("gravidade", "motivo", "comando")}
    return {
        "titulo": row["gravidade"],
        "nome": row["o_que"],
        "incidente": row["chave"],
        **said,
        "aberto_em": _text(since),
    }


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _tell(
    conn: psycopg.Connection,
    reference: str,
    body: dict[str, object],
    now: datetime,
    whom: Iterable[str],
) -> None:
    for one in whom:
        conn.execute(_TELL, [reference, one, Jsonb(body), now, now])
