"""A rule of app.regra_alerta as it is judged, and what is wrong with one that cannot be.

Belongs here: reading rules, checking what a table's constraints cannot. Not here: defaults
(loaders/schema_app.sql), comparing (judge.py).
"""

import re
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from alerts.metrics import METRICS

EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+")
WEBHOOK = re.compile(r"[a-z][a-z0-9_]*")

_QUERY = """
    select chave as key, titulo as title, metrica as metric, nivel as level,
        distribuidora_id as distributor, alvos as things, operador as operator, limite as limit,
        janela_meses as window, histerese as hysteresis, destinatarios as recipients,
        ativa as active
    from app.regra_alerta order by chave"""


@dataclass(frozen=True)
class Rule:
    """One row of app.regra_alerta.

    Attributes:
        distributor: None: all; things likewise.
        window: how many of the year's last months are looked at.
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
    return conn.cursor(row_factory=class_row(Rule)).execute(_QUERY).fetchall()
