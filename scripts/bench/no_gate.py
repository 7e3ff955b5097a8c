"""`make run` without Great Expectations: what its landing takes when nothing is imported beside it.

``python -m scripts.bench.no_gate FILE``. Belongs here: that, for `gate` to compare with.
"""

import psycopg
import typer

from dagster_pipeline import expectativas, gx
from scripts import run


def _unjudged(conn: psycopg.Connection, key: str) -> expectativas.Validacao:
    return expectativas.Validacao(*expectativas.aterrissada(conn, key), resultados=(), segundos=0)


if __name__ == "__main__":
    gx.comecar = lambda: None
    expectativas.validar = _unjudged
    typer.run(run.main)
