"""The outbox app.entrega: sends what is due by webhook or e-mail, and notes what became of it.

Belongs here: sending, attempts, giving up. Not here: who is told what (judge.py, crm.py).
At least once: who dies between the send and the note sends again with the same ``chave``, by
which a receiver knows what it has had. Addresses and secrets stand in the environment or .env:

    INTEL_WEBHOOK_<NOME>, INTEL_WEBHOOK_<NOME>_TOKEN
    INTEL_SMTP_HOST, INTEL_SMTP_PORT, INTEL_SMTP_USER, INTEL_SMTP_PASSWORD, INTEL_SMTP_FROM,
    INTEL_SMTP_TLS (starttls, tls or nao)
"""

import json
import os
import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import psycopg
import requests
from psycopg.rows import class_row

from loaders import environment

TIMEOUT_S = 10
ATTEMPTS = 14
"""After the last one a delivery is dead: a receiver may be down for two days."""
_FIRST, _LONGEST = timedelta(minutes=1), timedelta(hours=12)

_NEXT = """
    select id, chave::text as key, assunto as subject, destino as recipient, corpo as body,
        tentativas as attempts
    from app.entrega
    where situacao = 'pendente' and proxima_em <= %s and destino <> all(%s)
    order by criada_em, id limit 1 for update skip locked"""
_DONE = """
    update app.entrega
    set situacao = 'entregue', entregue_em = %s, tentativas = tentativas + 1, ultimo_erro = null
    where id = %s"""
_FAILED = """
    update app.entrega
    set situacao = %s, proxima_em = %s, tentativas = tentativas + 1, ultimo_erro = %s
    where id = %s"""
_REVIVE = """
    update app.entrega set situacao = 'pendente', tentativas = 0, proxima_em = %s
    where situacao = 'morta'"""
DUE = """
    select count(*) filter (where situacao = 'pendente' and proxima_em <= %s),
        count(*) filter (where situacao = 'pendente'), count(*) filter (where situacao = 'morta')
    from app.entrega"""


class DeliveryError(Exception):
    """What went wrong with one attempt, in words; never an address or a secret."""


@dataclass(frozen=True)
class Delivery:
    """One row that is due."""

    id: int
    key: str
    subject: str
    recipient: str
    body: dict[str, Any]
    attempts: int


@dataclass
class Sent:
    """What a look at the outbox did.

    Attributes:
        dead: given up now.
        errors: recipient → what went wrong: the rest of its deliveries wait for the next look.
    """

    delivered: int = 0
    dead: int = 0
    waiting: int = 0
    errors: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """One line."""
        text = f"{self.delivered} entregues, {self.waiting} pendentes, {self.dead} desistências"
        return "; ".join([text, *(f"{to}: {why}" for to, why in self.errors.items())])


def send(conn: psycopg.Connection, now: datetime) -> Sent:
    """Send what is due, each in a transaction of its own, oldest first.

    A recipient that fails is left alone until the next look: one that hangs costs one timeout.
    A row is locked while it is sent, so that two senders never take the same one.
    """
    sent, env = Sent(), environment.read_file(environment.USER_FILE) | dict(os.environ)
    while True:
        with conn.transaction():
            cursor = conn.cursor(row_factory=class_row(Delivery))
            row = cursor.execute(_NEXT, [now, list(sent.errors)]).fetchone()
            if row is None:
                break
            try:
                _transport(row, env)
            except DeliveryError as error:
                sent.errors[row.recipient] = str(error)
                last = row.attempts + 1 >= ATTEMPTS
                sent.dead += last
                state = "morta" if last else "pendente"
                conn.execute(_FAILED, [state, now + delay(row.attempts + 1), str(error), row.id])
            else:
                sent.delivered += 1
                conn.execute(_DONE, [now, row.id])
    sent.waiting = conn.execute(DUE, [now]).fetchone()[1]
    return sent


def delay(attempts: int) -> timedelta:
    """How long after so many failed attempts the next one is made: twice as long each time."""
    return min(_FIRST * 2 ** (attempts - 1), _LONGEST)


def revive(conn: psycopg.Connection, now: datetime) -> int:
    """Make the dead due again, with the keys that they had; how many."""
    return conn.execute(_REVIVE, [now]).rowcount


def _transport(row: Delivery, env: dict[str, str]) -> None:
    if "@" in row.recipient:
        _mail(row, env)
    else:
        _post(row, env)


def _post(row: Delivery, env: dict[str, str]) -> None:
    name = f"INTEL_WEBHOOK_{row.recipient.upper()}"
    url = env.get(name)
    if not url:
        raise DeliveryError(f"{name} não está no ambiente nem em .env")
    headers = {"Idempotency-Key": row.key}
    if token := env.get(f"{name}_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    body = {"chave": row.key, **row.body}
    try:
        answer = requests.post(
            url, json=body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
        )
    except requests.RequestException as error:
        # The message may quote the address, which may hold a secret.
        raise DeliveryError(f"sem resposta ({type(error).__name__})") from None
    if not 200 <= answer.status_code < 300:  # noqa: PLR2004
        raise DeliveryError(f"respondeu {answer.status_code}")


def _mail(row: Delivery, env: dict[str, str]) -> None:
    host = env.get("INTEL_SMTP_HOST")
    if not host:
        raise DeliveryError("INTEL_SMTP_HOST não está no ambiente nem em .env")
    try:
        port = int(env.get("INTEL_SMTP_PORT", "587"))
        message = _message(row, env.get("INTEL_SMTP_FROM", f"alertas@{host}"))
        tls, context = env.get("INTEL_SMTP_TLS", "starttls"), ssl.create_default_context()
        if tls == "tls":
            server = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        with server:
            if tls == "starttls":
                server.starttls(context=context)
            if user := env.get("INTEL_SMTP_USER"):
                server.login(user, env.get("INTEL_SMTP_PASSWORD", ""))
            server.send_message(message)
    except smtplib.SMTPResponseException as error:
        raise DeliveryError(f"SMTP respondeu {error.smtp_code}") from None
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise DeliveryError(f"sem SMTP ({type(error).__name__})") from None


def _message(row: Delivery, sender: str) -> EmailMessage:
    """An e-mail that says it in words; its Message-ID is the delivery's key."""
    body = row.body
    message = EmailMessage()
    message["From"], message["To"] = sender, row.recipient
    # A header takes no line break, and a rule's title is a person's text.
    what = f"{body.get('titulo', row.subject)}: {body.get('nome') or body.get('alvo', '')}"
    message["Subject"] = f"[alerta] {' '.join(what.split())}"
    message["Message-ID"] = f"<{row.key}@{sender.rpartition('@')[2]}>"
    message["Idempotency-Key"] = row.key
    lines = [f"{name}: {value}" for name, value in body.items() if name != "evidencia"]
    evidence = json.dumps(body.get("evidencia", {}), ensure_ascii=False, indent=2)
    message.set_content("\n".join([what, "", *lines, "", "Evidência:", evidence, ""]))
    return message
