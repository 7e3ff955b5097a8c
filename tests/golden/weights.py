"""Weights of criteria: the seed's, or what was learned where it was learned of this seed.

Belongs here: peso_criterio, mart_aprendizado. Not here: what a weight makes of a score (scores.py).
"""

import json
from datetime import date, datetime
from functools import cache

from tests.golden.domains import seed
from tests.golden.expected import Row, Rows, grouped
from tests.golden.network import SEEDS
from tests.golden.written import rows_of

LEARNED, SOWN = "aprendidos", "semente"
_WORDS = ("oferta", "motivo")
_COUNTS = ("resultados", "leads", "ganhos", "julgados", "ganhos_julgados")
_DAYS = ("julgado_desde", "julgado_ate")
_NOT_SHOWN = ("usado", "resultados_md5", "sem_par", "aprendido_em")


@cache
def in_use() -> tuple[Row, ...]:
    """Every criterion of every offer with its weight: the rows of peso_criterio."""
    learned = {
        offer: {r["criterio"]: r for r in of}
        for (offer,), of in grouped(rows_of("raw.peso_aprendido"), "oferta").items()
    }
    found = []
    for (offer,), of in grouped(
        seed(SEEDS, "oferta_criterio").to_dict("records"), "oferta_id"
    ).items():
        sown = {r["criterio_id"]: float(r["peso"]) for r in of}
        known = learned.get(offer, {})
        used = sown == {name: float(r["peso_semente"]) for name, r in known.items()}
        for row in of:
            name = row["criterio_id"]
            found.append(
                {c: row[c] for c in ("id", "oferta_id", "criterio_id", "direcao")}
                | {"peso": float(known[name]["peso"]) if used else sown[name]}
                | {"origem": LEARNED if used else SOWN}
            )
    return tuple(found)


def expected() -> dict[str, Rows]:
    """Both tables."""
    return {
        "peso_criterio": list(in_use()),
        "marts.mart_aprendizado": [_shown(row) for row in rows_of("raw.aprendizado")],
    }


def _shown(row: Row) -> Row:
    shown: Row = {}
    for name, value in row.items():
        if value is None or name in _WORDS:
            shown[name] = value
        elif name in _COUNTS:
            shown[name] = int(value)
        elif name in _DAYS:
            shown[name] = date.fromisoformat(value)
        elif name not in _NOT_SHOWN:
            shown[name] = float(value)
    return {c: v for c, v in shown.items() if c not in _NOT_SHOWN} | {
        "aprendido_em": datetime.fromisoformat(f"{row['aprendido_em']}:00"),
        "sem_par": str(json.loads(row["sem_par"])),
        "origem_pesos": LEARNED if row["usado"] == "true" else SOWN,
    }
