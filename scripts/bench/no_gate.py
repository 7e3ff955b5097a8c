"""`make run` without Great Expectations: what its landing takes when nothing is imported beside it.

``python -m scripts.bench.no_gate FILE``. Belongs here: that, for `gate` to compare with.
"""

import psycopg
import typer

from loaders.gate import expectations
from scripts import run


def _unjudged(conn: psycopg.Connection, key: str) -> expectations.Validacao:
    return expectations.Validacao(*expectations.aterrissada(conn, key), resultados=(), segundos=0)


if __name__ == "__main__":
    expectations.validar = _unjudged
    typer.run(run.main)
