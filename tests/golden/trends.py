"""Where a unit's consumption goes, over the vintages of its distributor.

Belongs here: lead_tendencia by numpy, by COD_ID. Not here: the yearly figures (curves.py), a unit
beside itself (scores.py).
"""

import numpy as np

from tests.golden.curves import index
from tests.golden.expected import Domains, Row, Safra
from tests.golden.readers import legal_person

WHOLE_YEAR, MOST = 10, 10
"""Months with consumption that make a year; vintages that count at most."""


def finish(safra: Safra, domains: Domains, earlier: list[Safra]) -> None:
    """Add lead_tendencia; ``earlier`` are the distributor's safras before."""
    kinds = index(domains, "classe_consumo")
    before = sorted(earlier, key=lambda s: s.year)[-(MOST - 1) :]
    of_years = [(s.year, _whole(s)) for s in (*before, safra)]
    found = []
    for lead in safra.tables["lead_bruto"]:
        key = (lead["origem"], lead["cod_id"])
        if not legal_person(lead, kinds) or lead["chave_origem"] != "cod_id":
            continue
        points = [(year, whole[key]) for year, whole in of_years if key in whole]
        if len(points) > 1 and points[-1][0] == safra.year:
            years, kwh = np.array(points).T
            slope = float(np.polyfit(years - years.mean(), kwh, 1)[0])
            found.append(
                {
                    "uc_id": lead["uc_id"],
                    "tendencia_pct_ano": 100 * slope / float(kwh.mean()),
                    "desde": points[0][0],
                    "safras": len(points),
                }
                | safra.key
            )
    safra.tables["lead_tendencia"] = found


def of_leads(safra: Safra) -> dict[str, Row]:
    """What a lead's row says of it, by uc_id."""
    return {
        row["uc_id"]: {
            "tendencia_pct_ano": row["tendencia_pct_ano"],
            "tendencia_safras": row["safras"],
        }
        for row in safra.tables["lead_tendencia"]
    }


def _whole(safra: Safra) -> dict[tuple[str, str], float]:
    """Layer and COD_ID → the year's energy, of units that consumed the year through."""
    months = {r["uc_id"]: r["energia_mes"] for r in safra.tables["lead_perfil"]}
    found = {}
    for lead in safra.tables["lead_bruto"]:
        of = months[lead["uc_id"]]
        if sum(v is not None and v > 0 for v in of) >= WHOLE_YEAR:
            found[lead["origem"], lead["cod_id"]] = sum(v for v in of if v is not None)
    return found
