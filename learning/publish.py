"""What was learned into raw.aprendizado and raw.peso_aprendido, and back out.

Belongs here: rows, one transaction an offer, undoing. Not here: learning (weights.py), the tables'
checks (loaders/schema.sql), the weights that the score takes (dbt: peso_criterio).
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime

import psycopg
from psycopg.types.json import Jsonb

from learning import outcomes, weights
from learning.outcomes import Cases
from learning.weights import Verdict
from loaders.figures import number

_THERE = "select to_regclass('marts.mart_lead_criterio') is not null"
_THERE += " and to_regclass('seeds.oferta_criterio') is not null"
_THERE += " and to_regclass('marts.mart_lead_empresa') is not null"
_LOCK = "select pg_advisory_xact_lock(hashtextextended('intel_lead aprendizado', 0))"
_OF_MEASURED = {
    "auc": "auc",
    "precision": "precisao_media",
    "lift": "primeiro_decimo",
    "brier": "brier",
    "expected": "ganhos_esperados",
}


def update(conn: psycopg.Connection, say: Callable[[str], None]) -> int:
    """Learn every offer's weights of which there are outcomes; how many offers use theirs.

    What a person undid stays so until its outcomes are others: a file's, or what sales said.
    """
    if not conn.execute(_THERE).fetchone()[0]:
        say("nenhuma safra construída ainda: antes, make build")
        return 0
    found = outcomes.read(conn)
    if not found:
        say(
            "nenhum resultado de proposta carregado: os pesos são os da semente, um juízo. Para"
            " aprendê-los: .venv/bin/python -m loaders resultados ARQUIVO.csv"
        )
    undone = "select oferta, resultados_md5 from raw.aprendizado where desfeito"
    kept = dict(conn.execute(undone).fetchall())
    used = 0
    for cases in found:
        # Null: undone before version 2026-11-30, which did not keep of what.
        if cases.offer in kept and kept[cases.offer] in (None, cases.words):
            note = "update raw.aprendizado set resultados_md5 = %s where oferta = %s"
            conn.execute(note, [cases.words, cases.offer])
            say(f"{cases.offer}: desfeito por uma pessoa, até chegarem outros resultados")
            continue
        verdict = weights.learn(cases)
        write(conn, cases, verdict)
        used += verdict.weights is not None
        for line in told(cases, verdict):
            say(line)
    gone = "delete from raw.aprendizado where not oferta = any(%s)"
    conn.execute(gone, [[cases.offer for cases in found]])
    return used


def write(conn: psycopg.Connection, cases: Cases, verdict: Verdict) -> None:
    """Put an offer's figures, and its weights if they are used, in place of what there was."""
    row = {
        "oferta": cases.offer,
        "aprendido_em": datetime.now(UTC),
        "resultados_md5": cases.words,
        "resultados": cases.told,
        "leads": len(cases.won),
        "ganhos": int(cases.won.sum()),
        "sem_par": Jsonb(cases.unmatched),
        "julgados": verdict.judged,
        "ganhos_julgados": verdict.judged_won,
        "julgado_desde": verdict.since.item() if verdict.since is not None else None,
        "julgado_ate": verdict.until.item() if verdict.until is not None else None,
        "auc_ganho_minimo": verdict.gain,
        "usado": verdict.weights is not None,
        "motivo": verdict.reason,
    }
    for name, measured in (("semente", verdict.seed), ("aprendidos", verdict.learned)):
        if measured:
            row |= {f"{_OF_MEASURED[k]}_{name}": v for k, v in asdict(measured).items()}
    places = ", ".join(f"%({name})s" for name in row)
    with conn.transaction():
        conn.execute(_LOCK)
        conn.execute("delete from raw.aprendizado where oferta = %s", [cases.offer])
        conn.execute(f"insert into raw.aprendizado ({', '.join(row)}) values ({places})", row)
        if verdict.weights:
            with conn.cursor() as cursor:
                cursor.executemany(
                    "insert into raw.peso_aprendido (oferta, criterio, peso, peso_semente)"
                    " values (%s, %s, %s, %s)",
                    [
                        (cases.offer, criterion, verdict.weights[criterion], float(seed))
                        for criterion, seed in zip(cases.criteria, cases.seed, strict=True)
                    ],
                )


def told(cases: Cases, verdict: Verdict) -> list[str]:
    """What a person reads of an offer."""
    word = "usados" if verdict.weights else "ficam os da semente"
    lines = [f"{cases.offer}: {word}: {verdict.reason}"]
    if verdict.seed and verdict.learned:
        since, until = (f"{day.item():%d/%m/%Y}" for day in (verdict.since, verdict.until))
        lines.append(
            f"  julgados em {verdict.judged} resultados de {since} a {until}:"
            f" AUC {number(verdict.learned.auc, 3)}, a da semente {number(verdict.seed.auc, 3)}"
            f" (ganho de {number(verdict.gain, 3)} ao menos, com 99 % de certeza);"
            f" no primeiro décimo {number(verdict.learned.lift, 1)} vezes a média, na semente"
            f" {number(verdict.seed.lift, 1)};"
            f" esperava {number(verdict.learned.expected)} ganhos, houve {verdict.judged_won}"
        )
    lines += [f"  {n} sem unidade: {reason}" for reason, n in sorted(cases.unmatched.items())]
    for name, value in sorted((verdict.weights or {}).items(), key=lambda item: -item[1]):
        was = cases.seed[cases.criteria.index(name)]
        lines.append(f"  {name}: {number(value, 4)} (na semente {number(was, 4)})")
    return lines


def undo(conn: psycopg.Connection, offers: list[str]) -> list[str]:
    """Back to the seed's weights, of these offers or of all; which had learned ones in use."""
    with conn.transaction():
        conn.execute(_LOCK)
        rows = conn.execute(
            "update raw.aprendizado set usado = false, desfeito = true,"
            " motivo = 'desfeito por uma pessoa'"
            " where usado and (oferta = any(%(offers)s) or %(offers)s = '{}') returning oferta",
            {"offers": offers},
        ).fetchall()
        gone = sorted(offer for (offer,) in rows)
        conn.execute("delete from raw.peso_aprendido where oferta = any(%s)", [gone])
    return gone
