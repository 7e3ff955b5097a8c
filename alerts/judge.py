"""Judge every rule on what is published: what opens, stays, closes.

Belongs here: app.alerta, and the deliveries of an opening. Not here: what is measured (metrics.py),
sending (delivery.py). Judging twice changes nothing but visto_em.
"""

from dataclasses import dataclass, field
from datetime import datetime

import psycopg
from psycopg.types.json import Jsonb

from alerts import rules
from alerts.metrics import METRICS
from loaders import ledger

# READ COMMITTED: each statement sees what is published when it starts. Nothing may be published
# meanwhile: a safra under replacement looks empty, and all its alerts would close.
_BUILDING = f"select not pg_try_advisory_xact_lock_shared({ledger.DBT_LOCK})"
_LOCKS = """
    select pg_advisory_xact_lock_shared(hashtext('intel_lead.publicacao')),
        pg_advisory_xact_lock(hashtextextended('intel_lead alertas', 0))"""

_MEASURE = """
    create temp table medida on commit drop as
    select m.*, m.valor {operator} %(limite)s as passou, m.valor {operator} %(fecha)s as mantem
    from ({metric}) as m
    where (%(alvos)s::text[] is null or m.alvo = any(%(alvos)s))
        and (%(distribuidora_id)s::integer is null or m.distribuidora_id = %(distribuidora_id)s)"""
_SAME = (
    "a.regra = %(chave)s and a.nivel = %(nivel)s and a.alvo = m.alvo"
    " and a.distribuidora_id is not distinct from m.distribuidora_id"
)
_CLOSE = f"""
    update app.alerta as a set fechado_em = %(agora)s, motivo_fechamento = case
        when exists (select from medida as m where {_SAME}) then 'voltou' else %(ausencia)s end
    where a.regra = %(chave)s and a.fechado_em is null
        and not exists (select from medida as m where {_SAME} and m.mantem is not false)
    returning a.nome, a.alvo"""
_STAY = f"""
    update app.alerta as a
    set visto_em = %(agora)s, valor = m.valor, ano = m.ano, mes = m.mes, nome = m.nome,
        evidencia = m.evidencia
    from medida as m
    where {_SAME} and a.fechado_em is null and m.valor is not null"""
_OPEN = f"""
    insert into app.alerta (
        regra, distribuidora_id, nivel, alvo, nome, ano, mes, valor, valor_abertura, limite,
        aberto_em, visto_em, evidencia
    )
    select %(chave)s, m.distribuidora_id, %(nivel)s, m.alvo, m.nome, m.ano, m.mes, m.valor, m.valor,
        %(limite)s, %(agora)s, %(agora)s, m.evidencia
    from medida as m
    where m.passou and not exists (
        select from app.alerta as a where {_SAME} and a.fechado_em is null
    )
    order by m.distribuidora_id, m.alvo
    returning id, distribuidora_id, alvo, nome, ano, mes, valor, evidencia"""
_OFF = """
    update app.alerta as a set fechado_em = %(agora)s, motivo_fechamento = 'regra_desligada'
    where a.regra = %(chave)s and a.fechado_em is null returning a.nome, a.alvo"""
_DELIVER = """
    insert into app.entrega (assunto, referencia, destino, corpo, criada_em, proxima_em)
    values ('alerta', %s, %s, %s, %s, %s) on conflict do nothing"""


@dataclass
class Judged:
    """What a look at all rules did, or would do.

    Attributes:
        opened: one line each; closed: the same.
        open: how many are open now.
        problems: rule → why it was not judged.
        building: nothing was judged: a build is under way, and judges at its end.
    """

    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    open: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    building: bool = False

    def __str__(self) -> str:
        """One line."""
        if self.building:
            return "há uma construção em andamento: ela julga quando terminar"
        text = (
            f"{len(self.opened)} abertos agora, {len(self.closed)} fechados, {self.open} em aberto"
        )
        bad = [f"regra {rule} não julgada: {why}" for rule, why in self.problems.items()]
        return "; ".join([text, *bad])


def judge(conn: psycopg.Connection, now: datetime, *, simulate: bool = False) -> Judged:
    """Open, keep and close alerts by all rules, in one transaction.

    Args:
        conn: in autocommit; it may read marts and write app.
        now: the moment of the judgement.
        simulate: change nothing.
    """
    judged = Judged()
    with conn.transaction(force_rollback=simulate):
        if conn.execute(_BUILDING).fetchone()[0]:
            judged.building = True
            return judged
        conn.execute(_LOCKS)
        for rule in rules.read(conn):
            if rule.active and rule.problem:
                judged.problems[rule.key] = rule.problem
            elif rule.active:
                _judge(conn, rule, now, judged)
            else:
                found = conn.execute(_OFF, {"chave": rule.key, "agora": now}).fetchall()
                judged.closed += [_said(rule, *row) for row in found]
        judged.open = conn.execute(
            "select count(*) from app.alerta where fechado_em is null"
        ).fetchone()[0]
    return judged


def _judge(conn: psycopg.Connection, rule: rules.Rule, now: datetime, judged: Judged) -> None:
    metric = METRICS[rule.metric]
    values = {"chave": rule.key, "nivel": rule.level, "alvos": rule.things, "limite": rule.limit}
    values |= {"distribuidora_id": rule.distributor, "janela": rule.window}
    values |= {"fecha": rule.closing, "agora": now, "ausencia": metric.absence}
    query = _MEASURE.format(operator=rule.operator, metric=metric.queries[rule.level])
    try:
        with conn.transaction():
            conn.execute("drop table if exists pg_temp.medida")
            conn.execute(query, values)
    except psycopg.errors.UndefinedTable:
        judged.problems[rule.key] = "as tabelas de marts ainda não existem: make run"
        return
    closed = conn.execute(_CLOSE, values).fetchall()
    conn.execute(_STAY, values)
    opened = conn.execute(_OPEN, values).fetchall()
    judged.closed += [_said(rule, *row) for row in closed]
    judged.opened += [_said(rule, name, thing) for _, _, thing, name, *_ in opened]
    for row in opened:
        body = Jsonb(_body(rule, row, now))
        for recipient in rule.recipients:
            conn.execute(_DELIVER, [str(row[0]), recipient, body, now, now])


def _said(rule: rules.Rule, name: str | None, thing: str) -> str:
    return f"{rule.title}: {rule.level} {name or thing}"


def _body(rule: rules.Rule, row: tuple, now: datetime) -> dict[str, object]:
    """What the receiver gets: the rule, the thing, the figures."""
    number, distributor, thing, name, year, month, value, evidence = row
    return {
        "assunto": "alerta",
        "alerta": number,
        "regra": rule.key,
        "titulo": rule.title,
        "nivel": rule.level,
        "distribuidora_id": distributor,
        "alvo": thing,
        "nome": name,
        "ano": year,
        "mes": month,
        "metrica": rule.metric,
        "valor": value,
        "operador": rule.operator,
        "limite": rule.limit,
        "aberto_em": now.isoformat(),
        "evidencia": evidence,
    }
