"""The verdict on a landed safra: the whole gate, comparison and expectations, on one import.

Belongs here: who is judged, and what is remembered. Not here: what is looked at (comparison.py,
rules.py), how Great Expectations runs (expectations.py), what a hold does (hold.py).
"""

from dataclasses import dataclass

import psycopg

from loaders.gate import expectations
from loaders.safra import Safra


@dataclass(frozen=True)
class Verdict:
    """What the gate says of one import of one safra; a new landing needs a new one.

    Attributes:
        safra: which.
        import_id: controle.safra_importada.import_id that was judged.
        results: what each expectation saw.
        held: why the safra is held now, None where it may be published.
    """

    safra: Safra
    import_id: int
    results: tuple[expectations.Resultado, ...]
    held: str | None

    def of(self, layer: str) -> list[expectations.Resultado]:
        """What was seen of one layer (``UCBT``)."""
        return [r for r in self.results if r.camada == layer]


def judge(conn: psycopg.Connection, key: str) -> Verdict:
    """Judge what is landed of a safra, keep the verdict, and hold the safra if it has to be.

    Raises:
        EntradaInvalida: the safra is not landed.
    """
    seen = expectations.validar(conn, key)
    conn.execute(
        "insert into controle.veredito (ano, distribuidora_id, import_id, aprovada)"
        " values (%s, %s, %s, %s) on conflict (ano, distribuidora_id, import_id)"
        " do update set aprovada = excluded.aprovada, julgada_em = clock_timestamp()",
        [seen.safra.ano, seen.safra.distribuidora_id, seen.import_id, seen.retencao is None],
    )
    return Verdict(seen.safra, seen.import_id, seen.resultados, seen.retencao)


def pending(conn: psycopg.Connection) -> list[str]:
    """Keys of the landed safras whose current import has no verdict yet."""
    found = conn.execute(
        "select distribuidora_id || '-' || ano from controle.safra_importada as i"
        " where not exists (select from controle.veredito as v"
        "  where (v.ano, v.distribuidora_id, v.import_id)"
        "   = (i.ano, i.distribuidora_id, i.import_id))"
        " order by ano, distribuidora_id"
    )
    return [key for (key,) in found]


def judge_pending(conn: psycopg.Connection) -> list[Verdict]:
    """Judge every landed safra whose current import has no verdict yet."""
    return [judge(conn, key) for key in pending(conn)]
