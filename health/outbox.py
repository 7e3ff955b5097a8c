"""Deliveries that were given up. Not here: sending them (alerts/delivery.py)."""

from collections.abc import Iterator

import psycopg

from health.finding import Finding, Severity

_DEAD = """
    select destino, count(*), (array_agg(ultimo_erro order by criada_em desc))[1]
    from app.entrega where situacao = 'morta' group by destino order by destino"""


def found(conn: psycopg.Connection) -> Iterator[Finding]:
    """One finding for each recipient."""
    for recipient, count, why in conn.execute(_DEAD):
        what = f"{count} entregas a {recipient} sem resposta, desistidas"
        command = ".venv/bin/python -m alerts enviar --mortas"
        yield Finding(f"entrega:{recipient}", Severity.NOTICE, what, why or "", command)
