"""What readers see, schema marts: legal persons' units, and aggregates without the small cells.

Belongs here: LEADS §8, DESIGN law 7 and docs/security.md, worked out unit by unit, without a total
of totals. Not here: the whole of what is hidden from (expected.py, rollups.py).
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pandas as pd

from tests.golden.tables import LEADS_OF_READERS

Row = dict[str, Any]
Rows = list[Row]

FARMS = ("RU1", "RU1A", "RU1B", "RU2")
FEWEST, MOST = 5, 0.8
"""Units that a cell of persons has at least, and the share of its energy that one has at most."""
SHOWN_ALWAYS = {
    "ano", "municipio_id", "municipio", "uf", "distribuidora_id", "distribuidora", "camada",
}  # fmt: skip


def legal_person(lead: Row, kinds: Mapping[str, Row]) -> bool:
    """PJ by its class, and no farm in low voltage; without a class a natural person."""
    kind = kinds.get(lead["classe_consumo_id"], {}).get("tipo_cliente")
    farm = lead["origem"] == "UCBT" and lead["classe_consumo_id"] in FARMS
    return kind == "PJ" and not farm


def expected(tables: Mapping[str, Rows], domains: Mapping[str, pd.DataFrame]) -> dict[str, Rows]:
    """The views and resumos of marts, from intel_lead's."""
    kinds = {row["id"]: row for row in domains["classe_consumo"].to_dict("records")}
    leads = tables["lead_bruto"]
    firms = {lead["uc_id"] for lead in leads if legal_person(lead, kinds)}
    names = {row["id"]: row["nome"] for row in domains["distribuidora"].to_dict("records")}
    year = {row["uc_id"]: row["energia_anual_kwh"] for row in tables["lead_resumo_anual"]}
    units = pd.DataFrame(
        {
            "ano": [lead["ano"] for lead in leads],
            "distribuidora_id": [lead["distribuidora_id"] for lead in leads],
            "municipio_id": [lead["municipio_id"] or "" for lead in leads],
            "camada": [lead["origem"] for lead in leads],
            "person": [lead["uc_id"] not in firms for lead in leads],
            "kwh": pd.Series([year[lead["uc_id"]] for lead in leads], dtype=float),
        }
    )
    made = {
        name: [row for row in tables[name.removeprefix("marts.")] if row["uc_id"] in firms]
        for name in LEADS_OF_READERS
    }
    made["marts.safra_publicada"] = [
        {
            "ano": row["ano"],
            "distribuidora_id": row["distribuidora_id"],
            "distribuidora": names[str(row["distribuidora_id"])],
            "publicada_em": row["publicada_em"],
        }
        for row in tables["safra_publicada"]
    ]
    for name, of, key, hide in (
        ("municipio", "resumo_energia_por_municipio", "municipio_id", _towns),
        ("distribuidora", "resumo_leads_distribuidora", "distribuidora_id", _parts_of_a_year),
        ("camada", "resumo_leads_ano_camada", "camada", _parts_of_a_year),
    ):
        hidden = hide(units, key)
        made[f"marts.resumo_{name}"] = [
            _shown(row, (row["ano"], row[key] or "") in hidden) for row in tables[of]
        ]
    return made


def _shown(row: Row, hidden: bool) -> Row:
    kept = {c: None if hidden and c not in SHOWN_ALWAYS else v for c, v in row.items()}
    return kept | {"suprimido": hidden}


# ── Which cells are too small ─────────────────────────────────────────────────────────────────────
def small(units: pd.DataFrame) -> bool:
    """Whether persons among units are few, or one of all or of them has nearly all the energy."""
    persons = units[units["person"]]
    most = any(of["kwh"].max() > MOST * of["kwh"].sum() for of in (units, persons))
    return bool(len(persons) and (len(persons) < FEWEST or most))


def _with_persons(units: pd.DataFrame, key: str) -> dict[object, pd.DataFrame]:
    return {value: part for value, part in units.groupby(key) if part["person"].any()}


def _complemented(parts: Mapping[object, pd.DataFrame], hidden: set) -> set:
    """The parts of one total that are hidden: more of them while those together are small."""
    hidden = hidden & set(parts)
    shown = sorted(set(parts) - hidden, key=lambda value: (len(parts[value]), value == "", value))
    while hidden and shown and small(pd.concat([parts[value] for value in hidden])):
        hidden.add(shown.pop(0))
    return hidden


def _parts_of_a_year(units: pd.DataFrame, key: str) -> set[tuple]:
    """Distributors or layers: the year is their total."""
    found = set()
    for year, of_year in units.groupby("ano"):
        parts = _with_persons(of_year, key)
        hidden = {value for value, part in parts.items() if small(part)}
        found |= {(year, value) for value in _complemented(parts, hidden)}
    return found


def _towns(units: pd.DataFrame, key: str) -> set[tuple]:
    """Municípios: the distributor is the total, and one of two distributors has two parts."""
    found = set()
    for year, of_year in units.groupby("ano"):
        by_utility = {
            utility: _with_persons(part, key)
            for utility, part in of_year.groupby("distribuidora_id")
        }
        in_town: dict[object, list[pd.DataFrame]] = defaultdict(list)
        for parts in by_utility.values():
            for town, part in parts.items():
                in_town[town].append(part)
        whole = dict(iter(of_year.groupby(key)))
        hidden = {
            town
            for town, parts in in_town.items()
            if small(whole[town]) or (len(parts) > 1 and any(map(small, parts)))
        }
        for parts in by_utility.values():
            found |= {(year, town) for town in _complemented(parts, hidden)}
    return found
