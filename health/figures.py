"""The same state as figures for a monitor: Prometheus' text format.

Belongs here: names, types, help of each. Not here: what is wrong (questions.py).
"""

from collections.abc import Iterable, Iterator

import psycopg

from health import backups, machine, sources
from health.finding import Finding, Severity

_SAFRAS = """
    select count(*), count(*) filter (where i.retida), count(p.import_id),
        coalesce(extract(epoch from max(p.publicada_em)), 0)
    from controle.safra_importada as i
    left join intel_lead.safra_publicada as p using (ano, distribuidora_id, import_id)"""
_OUTBOX = """
    select count(*) filter (where situacao = 'pendente'), count(*) filter (where situacao = 'morta')
    from app.entrega"""
_SIZE = "select pg_database_size(current_database())"


def lines(conn: psycopg.Connection, found: Iterable[Finding]) -> Iterator[str]:
    """A page of them, line by line."""
    findings = list(found)
    yield from _gauge(
        "intel_incidentes",
        "O que está errado agora, por gravidade.",
        {
            f'gravidade="{severity.word}"': sum(f.severity == severity for f in findings)
            for severity in Severity
        },
    )
    yield from _gauge(
        "intel_incidente",
        "1 para cada coisa errada agora.",
        {f'chave="{_quoted(f.key)}",gravidade="{f.severity.word}"': 1 for f in findings},
    )
    if conn.execute("select to_regclass('intel_lead.safra_publicada')").fetchone()[0]:
        landed, held, published, newest = conn.execute(_SAFRAS).fetchone()
        states = {"aterrissada": landed, "retida": held, "publicada": published}
        safras = {f'situacao="{state}"': count for state, count in states.items()}
        yield from _gauge("intel_safras", "Safras, por situação.", safras)
        text = "Quando a última safra foi publicada, em segundos desde 1970."
        yield from _gauge("intel_publicacao_timestamp_seconds", text, {"": float(newest)})
    late = {f'conjunto="{name}"': days * 86_400 for name, days in sources.ages(conn).items()}
    text = "Há quanto tempo aterrissou o último arquivo do conjunto."
    yield from _gauge("intel_fonte_idade_seconds", text, late)
    for name, text, age in zip(
        ("intel_copia_idade_seconds", "intel_copia_restaurada_idade_seconds"),
        (
            "Há quanto tempo foi feita a última cópia.",
            "Há quanto tempo uma cópia foi restaurada, para ver se serve.",
        ),
        backups.ages(),
        strict=True,
    ):
        yield from _gauge(name, text, {} if age is None else {"": age.total_seconds()})
    left = machine.disk()
    yield from _gauge("intel_disco_livre_bytes", "Livre no disco do clone.", {"": left.free})
    (size,) = conn.execute(_SIZE).fetchone()
    yield from _gauge("intel_banco_bytes", "O que o banco ocupa.", {"": size})
    waiting, dead = conn.execute(_OUTBOX).fetchone()
    outbox = {'situacao="pendente"': waiting, 'situacao="morta"': dead}
    yield from _gauge("intel_entregas", "Avisos, alertas e leads por entregar.", outbox)


def _gauge(name: str, text: str, values: dict[str, float]) -> Iterator[str]:
    if not values:
        return
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"
    for labels, value in values.items():
        yield f"{name}{{{labels}}} {value}" if labels else f"{name} {value}"


def _quoted(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
