"""A rule of app.regra_alerta as it is judged, and what is wrong with one that cannot be.

Belongs here: reading rules, checking what a table's constraints cannot. Not here: defaults
(tables.sql), comparing (judge.py).
"""

import re
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from alerts.metrics import METRICS

EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+")
WEBHOOK = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Rule:
    """One row of app.regra_alerta; field names are its columns'."""

    chave: str
    titulo: str
    metrica: str
    nivel: str
    distribuidora_id: int | None
    alvos: list[str] | None
    operador: str
    limite: float
    janela_meses: int
    histerese: float
    destinatarios: list[str]
    ativa: bool

    @property
    def closing(self) -> float:
        """The limit that an open alert's figure must come back from."""
        sign = -1 if self.operador.startswith(">") else 1
        return self.limite + sign * self.histerese

    @property
    def problem(self) -> str:
        """Why it cannot be judged; empty: it can."""
        metric = METRICS.get(self.metrica)
        if metric is None:
            return f"não há a métrica {self.metrica}; há: {', '.join(METRICS)}"
        if self.nivel not in metric.queries:
            there = ", ".join(metric.queries)
            return f"{self.metrica} não é de nível {self.nivel}; é de: {there}"
        if self.janela_meses not in metric.windows:
            return f"{self.metrica} é do ano todo: janela_meses só pode ser 12"
        if wrong := [x for x in self.destinatarios if not is_recipient(x)]:
            return f"nem e-mail nem nome de webhook: {', '.join(wrong)}"
        return ""


def is_recipient(text: str) -> bool:
    """Whether it is an e-mail address or the name of a webhook."""
    return bool(EMAIL.fullmatch(text) or WEBHOOK.fullmatch(text))


def read(conn: psycopg.Connection) -> list[Rule]:
    """All rules, by key."""
    columns = ", ".join(Rule.__dataclass_fields__)
    cursor = conn.cursor(row_factory=class_row(Rule))
    return cursor.execute(f"select {columns} from app.regra_alerta order by chave").fetchall()
