"""`make run` with a gate that approves of everything unseen: the rest is what the gate adds.

``python -m scripts.bench.no_gate FILE``. Belongs here: that, for `gate` to compare with.
"""

import psycopg
import typer

from loaders.gate import verdict
from loaders.safra import Safra
from scripts import run


def _approved(conn: psycopg.Connection, key: str) -> verdict.Verdict:
    safra = Safra.de_chave(key)
    (import_id,) = conn.execute(
        "insert into controle.veredito (ano, distribuidora_id, import_id, aprovada)"
        " select ano, distribuidora_id, import_id, true from controle.safra_importada"
        " where (ano, distribuidora_id) = (%s, %s) returning import_id",
        [safra.ano, safra.distribuidora_id],
    ).fetchone()
    return verdict.Verdict(safra, import_id, results=(), findings=(), held=None)


if __name__ == "__main__":
    verdict.judge = _approved
    typer.run(run.main)
