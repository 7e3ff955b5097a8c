"""A rule of app.regra_alerta as it is judged, and what is wrong with one that cannot be.

Belongs here: reading and writing rules, checking what a table's constraints cannot. Not here:
defaults (loaders/schema_app.sql), comparing (judge.py).
"""

import re
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from alerts.metrics import METRICS

EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+")
WEBHOOK = re.compile(r"[a-z][a-z0-9_]*")

_QUERY = """
    select chave as key, titulo as title, metrica as metric, nivel as level,
        distribuidora_id as distributor, alvos as things, operador as operator, limite as limit,
        janela_meses as window, histerese as hysteresis, destinatarios as recipients,
        ativa as active, alterada_em as changed_at, alterada_por as changed_by
    from app.regra_alerta"""
_WRITE = """
    insert into app.regra_alerta as r (chave, titulo, metrica, nivel, distribuidora_id, alvos,
        operador, limite, janela_meses, histerese, destinatarios, ativa)
    values (%(key)s, %(title)s, %(metric)s, %(level)s, %(distributor)s, %(things)s, %(operator)s,
        %(limit)s, %(window)s, %(hysteresis)s, %(recipients)s, %(active)s)
    on conflict (chave) do update set titulo = excluded.titulo, metrica = excluded.metrica,
        nivel = excluded.nivel, distribuidora_id = excluded.distribuidora_id,
        alvos = excluded.alvos, operador = excluded.operador, limite = excluded.limite,
        janela_meses = excluded.janela_meses, histerese = excluded.histerese,
        destinatarios = excluded.destinatarios, ativa = excluded.ativa
    returning r.criada_em = now()"""


@dataclass(frozen=True)
class Rule:
    """One row of app.regra_alerta.

    Attributes:
        distributor: None: all; things likewise.
        window: how many of the year's last months are looked at.
        changed_at: None, like ``changed_by``: it does not stand there yet.
    """

    key: str
    title: str
    metric: str
    level: str
    distributor: int | None
    things: list[str] | None
    operator: str
    limit: float
    window: int
    hysteresis: float
    recipients: list[str]
    active: bool
    changed_at: datetime | None = None
    changed_by: str | None = None

    @property
    def closing(self) -> float:
        """The limit that an open alert's figure must come back from."""
        sign = -1 if self.operator.startswith(">") else 1
        return self.limit + sign * self.hysteresis

    @property
    def problem(self) -> str:
        """Why it cannot be judged; empty: it can."""
        metric = METRICS.get(self.metric)
        if metric is None:
            return f"não há a métrica {self.metric}; há: {', '.join(METRICS)}"
        if self.level not in metric.queries:
            there = ", ".join(metric.queries)
            return f"{self.metric} não é de nível {self.level}; é de: {there}"
        if self.window not in metric.windows:
            return f"{self.metric} é do ano todo: janela_meses só pode ser 12"
        if wrong := [x for x in self.recipients if not is_recipient(x)]:
            return f"nem e-mail nem nome de webhook: {', '.join(wrong)}"
        return ""


def is_recipient(text: str) -> bool:
    """Whether it is an e-mail address or the name of a webhook."""
    return bool(EMAIL.fullmatch(text) or WEBHOOK.fullmatch(text))


def read(conn: psycopg.Connection) -> list[Rule]:
    """All rules, by key."""
    query = f"{_QUERY} order by chave"
    return conn.cursor(row_factory=class_row(Rule)).execute(query).fetchall()


def write(conn: psycopg.Connection, rule: Rule, by: str) -> tuple[bool, Rule]:
    """Make a rule, or put it in place of the one of its key.

    Args:
        conn: of a role that may edit rules.
        rule: without a ``problem``.
        by: who says so, where the role is the API's.

    Returns:
        Whether it is new, and the rule as it stands.
    """
    with conn.transaction():
        _signed(conn, by)
        (created,) = conn.execute(_WRITE, vars(rule)).fetchone()
        query = f"{_QUERY} where chave = %s"
        kept = conn.cursor(row_factory=class_row(Rule)).execute(query, [rule.key]).fetchone()
    return created, kept


def stop(conn: psycopg.Connection, key: str, by: str) -> bool:
    """Switch a rule off; False: there is none of that key."""
    with conn.transaction():
        _signed(conn, by)
        done = conn.execute("update app.regra_alerta set ativa = false where chave = %s", [key])
    return bool(done.rowcount)


def _signed(conn: psycopg.Connection, by: str) -> None:
    conn.execute("select set_config('app.quem', %s, true)", [by])
