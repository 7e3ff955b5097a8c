"""Consumption profiles of units, what they lend a lead's forecast, and how good that was.

Belongs here: docs/perfis.md and LEADS §7's naive of single leads, by numpy. Not here: series of
many units (cells.py), what forecasting/ writes.
"""

import math
from collections import defaultdict
from datetime import date
from functools import cache

import numpy as np

from tests.golden.curves import index
from tests.golden.domains import seed
from tests.golden.expected import Domains, Row, Rows, Safra, grouped, mean, total
from tests.golden.hiding import along, cell_of
from tests.golden.network import SEEDS
from tests.golden.readers import legal_person

CENTRE = ("nivel", "sazonalidade", "verao", "ponta", "fator_carga")
SUMMER = (12, 1, 2, 3)
AT_ONCE, PAIRS, FEW = 2000, 30, 5
"""Units of a profile that are looked at; in both safras before a year tells of the next; at all."""
BOUNDS = {"inferior_95": 2.5, "inferior_80": 10, "superior_80": 90, "superior_95": 97.5}
_BEYOND = ("inferior_95", "superior_95", "inferior_80", "superior_80")


def finish(safra: Safra, domains: Domains, earlier: list[Safra]) -> None:
    """Add profiles, their marts and intervals; ``earlier`` are the distributor's, finished."""
    kinds = index(domains, "classe_consumo")
    profiles = {row["uc_id"]: row for row in safra.tables["lead_perfil"]}
    safra.tables["lead_perfil_consumo"] = [
        _nearest(lead, profiles[lead["uc_id"]], kinds) | safra.key
        for lead in safra.tables["lead_bruto"]
    ]
    before = max(earlier, key=lambda s: s.year, default=None)
    tables = {
        "previsao_faixa": _intervals(safra, before),
        "marts.mart_perfil_consumo": _cells(safra, kinds),
    }
    safra.tables |= {name: [row | safra.key for row in rows] for name, rows in tables.items()}


# ── A unit's profile ──────────────────────────────────────────────────────────────────────────────
def _summer(months: list[float | None]) -> float:
    return total([months[m - 1] for m in SUMMER]) or 0.0


def _measures(profile: Row) -> list[float | None]:
    """The five, each on its scale, as the four bytes that the table keeps."""
    kwh, load = profile["energia_anual_kwh"], profile["fator_carga"]
    peak = profile["participacao_ponta"]
    exact = [
        math.log10(kwh / 12) / 0.15,
        math.log2(min(profile["sazonalidade"], 4)) / 0.5,
        _summer(profile["energia_mes"]) / kwh / 0.1,
        None if peak is None else peak / 0.07,
        load / 0.2 if load is not None and load <= 1 else None,
    ]
    return [None if v is None else np.float32(v) for v in exact]


def _group(lead: Row, kinds: dict[str, Row]) -> str | None:
    if lead["origem"] != "UCBT":
        return "alta_media"
    of_class = kinds.get(lead["classe_consumo_id"], {}).get("grupo")
    if of_class in ("residencial", "rural", "comercial", "industrial"):
        return of_class
    return None if of_class in (None, "não informado") else "publico"


@cache
def centres() -> Rows:
    """The seed's, numbers as numbers."""
    rows = seed(SEEDS, "perfil_centro").to_dict("records")
    return [row | {c: None if row[c] is None else float(row[c]) for c in CENTRE} for row in rows]


def _apart(measures: list[float | None], centre: Row) -> float:
    pairs = [(m, centre[c]) for m, c in zip(measures, CENTRE, strict=True)]
    return math.sqrt(sum((float(m) - c) ** 2 for m, c in pairs if m is not None and c is not None))


def _nearest(lead: Row, profile: Row, kinds: dict[str, Row]) -> Row:
    group, kwh = _group(lead, kinds), profile["energia_anual_kwh"]
    measures = _measures(profile) if kwh is not None and kwh > 0 else None
    near = []
    if measures:
        of_group = [c for c in centres() if c["grupo"] == group and c["nivel"] is not None]
        near = sorted((_apart(measures, c), c["perfil_id"]) for c in of_group)
    if group is None or kwh is None:
        name = "sem_dados"
    else:
        name = near[0][1] if kwh > 0 else f"{group}_sem_consumo"
    clear = len(near) > 1 and near[1][0] > 0
    return {
        "uc_id": lead["uc_id"],
        "perfil_id": name,
        "silhueta": 1 - near[0][0] / near[1][0] if clear else None,
        # Four bytes as PostgreSQL writes them: the fewest digits that read back.
        "medidas": measures and [None if m is None else float(str(m)) for m in measures],
    }


# ── Profiles as readers see them ──────────────────────────────────────────────────────────────────
def _cells(safra: Safra, kinds: dict[str, Row]) -> Rows:
    names = {row["perfil_id"]: row for row in centres()}
    leads = {row["uc_id"]: row for row in safra.tables["lead_bruto"]}
    years = {row["uc_id"]: row for row in safra.tables["lead_perfil"]}
    units: dict[tuple, Rows] = defaultdict(list)
    for row in safra.tables["lead_perfil_consumo"]:
        person = not legal_person(leads[row["uc_id"]], kinds)
        key = (names[row["perfil_id"]]["grupo"], row["perfil_id"])
        units[key].append(years[row["uc_id"]] | {"person": person, "silhueta": row["silhueta"]})
    cells = {
        key: cell_of((u["person"], u["energia_anual_kwh"]) for u in of) for key, of in units.items()
    }
    gone = along(cells, [lambda key: key[0], lambda _: "distributor"])
    found = []
    for key, of in units.items():
        said = _said(of)
        if key in gone:
            said = dict.fromkeys(said)
        shown = {"perfil": names[key[1]]["perfil"], "suprimido": key in gone}
        found.append({"grupo": key[0], "perfil_id": key[1]} | shown | said)
    return found


def _said(units: Rows) -> Row:
    energies = [u["energia_anual_kwh"] for u in units]
    kwh = total(energies)
    summer = total([_summer(u["energia_mes"]) for u in units if (u["energia_anual_kwh"] or 0) > 0])
    peak = total([u["energia_ponta_kwh"] for u in units])
    with_peak = total([u["energia_anual_kwh"] for u in units if u["energia_ponta_kwh"] is not None])
    loads = [u["fator_carga"] for u in units if u["fator_carga"] is not None]
    return {
        "quantidade_leads": len(units),
        "energia_anual_kwh": kwh,
        "media_kwh_mes": None if kwh is None else mean(energies) / 12,
        "media_sazonalidade": mean([u["sazonalidade"] for u in units]),
        "participacao_verao": summer / kwh if kwh and summer is not None else None,
        "participacao_ponta": peak / with_peak if with_peak else None,
        "media_fator_carga": mean([v for v in loads if v <= 1]),
        "silhueta": mean([u["silhueta"] for u in units]),
    }


# ── Intervals ─────────────────────────────────────────────────────────────────────────────────────
def _measured(safra: Safra) -> dict[tuple[str, str], tuple[str, np.ndarray, float, str]]:
    """(layer, COD_ID) → profile, months, mean month, uc_id, of units with measures."""
    profile = {row["uc_id"]: row for row in safra.tables["lead_perfil_consumo"]}
    year = {row["uc_id"]: row for row in safra.tables["lead_perfil"]}
    found = {}
    for lead in safra.tables["lead_bruto"]:
        uc = lead["uc_id"]
        if profile[uc]["medidas"] is not None:
            months = np.array(year[uc]["energia_mes"], dtype=float)
            found[lead["origem"], lead["cod_id"]] = (
                profile[uc]["perfil_id"],
                months,
                year[uc]["energia_anual_kwh"] / np.isfinite(months).sum(),
                uc,
            )
    return found


def _season(months: np.ndarray, means: np.ndarray) -> np.ndarray:
    """How far each month is from its profile's season, as a part of the unit's mean month.

    Times the root of two: the month that is copied and the one that comes would both be so far.
    """
    shape = months / means[:, None]
    off = np.sqrt(2) * (shape - np.nanmedian(shape, axis=0))
    return np.nanpercentile(off, list(BOUNDS.values()))


def _intervals(safra: Safra, before: Safra | None) -> Rows:
    now = _measured(safra)
    then = _measured(before) if before else {}
    years = safra.year - before.year if before else 0
    chosen: dict[str, list] = defaultdict(list)
    for key, unit in sorted(now.items(), key=lambda item: item[1][3]):
        if len(chosen[unit[0]]) < AT_ONCE:
            chosen[unit[0]].append(key)
    both: dict[str, list] = defaultdict(list)
    for keys in chosen.values():
        for key in keys:
            if key in then:
                both[then[key][0]].append(key)
    found = []
    for name, keys in chosen.items():
        pairs = both[name]
        row: Row = {"perfil_id": name, "unidades": len(keys), "nas_duas": len(pairs)}
        row |= _tested(pairs, now, then, years)
        months, means = _stacked(keys, now)
        bounds = row.pop("bounds") if len(pairs) >= PAIRS else _season(months, means)
        told = len(pairs) >= PAIRS or len(keys) >= FEW
        for bound, value in zip(BOUNDS, bounds, strict=True):
            inside = min(value, 0.0) if bound.startswith("inferior") else max(value, 0.0)
            row[bound] = float(inside) if told else None
        row.pop("bounds", None)
        found.append(row)
    return found


def _stacked(keys: list, units: dict) -> tuple[np.ndarray, np.ndarray]:
    return np.array([units[k][1] for k in keys]), np.array([units[k][2] for k in keys])


def _tested(pairs: list, now: dict, then: dict, years: int) -> Row:
    """What the naive would have said of this year from the one before, by its profile then."""
    measures = ("mae", "mape", "smape", "cobertura_80", "cobertura_95")
    if not pairs:
        return dict.fromkeys(measures) | {"meses_testados": 0, "bounds": None}
    months, _ = _stacked(pairs, now)
    was, means = _stacked(pairs, then)
    off = np.abs(months - was)
    changed = (months - was) / means[:, None] / np.sqrt(years)
    part = off / np.where(months > 0, months, np.nan)
    both = np.abs(months) + np.abs(was)
    season = _season(was, means)
    told = changed[np.isfinite(changed)]
    row = {
        "meses_testados": len(told),
        "mae": float(np.nanmean(off)),
        "mape": float(100 * np.nanmean(part)) if np.isfinite(part).any() else None,
        "smape": float(100 * np.nanmean(2 * off / np.where(both == 0, np.nan, both))),
        "bounds": np.nanpercentile(changed, list(BOUNDS.values())),
    }
    for name, low, high in (("cobertura_80", 1, 2), ("cobertura_95", 0, 3)):
        inside = (told >= min(season[low], 0)) & (told <= max(season[high], 0))
        row[name] = float(inside.mean()) if len(pairs) >= FEW else None
    return row


# ── Over all safras ───────────────────────────────────────────────────────────────────────────────
def views(whole: dict[str, Rows]) -> dict[str, Rows]:
    """The leads' profiles and forecasts, and how good what is estimated or forecast is."""
    profile = {row["uc_id"]: row for row in whole["lead_perfil_consumo"]}
    names = {row["perfil_id"]: row for row in centres()}
    key = ("ano", "distribuidora_id", "perfil_id")
    bands = {k: of[0] for k, of in grouped(whole["previsao_faixa"], *key).items()}
    of_leads = []
    for lead in whole["marts.mart_lead_safra"]:
        mine = profile[lead["uc_id"]]
        same = {c: mine[c] for c in ("uc_id", *key, "silhueta")}
        centre = names[mine["perfil_id"]]
        of_leads.append(same | {"perfil": centre["perfil"], "grupo": centre["grupo"]})
    forecasts: Rows = []
    for lead in whole["marts.mart_lead"]:
        name = profile[lead["uc_id"]]["perfil_id"]
        band = bands.get((lead["ano"], lead["distribuidora_id"], name), {})
        forecasts += _forecast(lead, name, band)
    cells = {k: of[0] for k, of in grouped(whole["marts.mart_perfil_consumo"], *key).items()}
    return {
        "marts.mart_perfil_consumo_lead": of_leads,
        "marts.mart_previsao_lead": forecasts,
        "marts.mart_desempenho_modelo": _performance(whole, cells),
    }


def _forecast(lead: Row, name: str, band: Row) -> Rows:
    there = [v for v in lead["energia_mes"] if v is not None]
    mean_month = lead["energia_anual_kwh"] / len(there) if there else None
    found = []
    for m, kwh in enumerate(lead["energia_mes"], 1):
        row = {
            "uc_id": lead["uc_id"],
            "distribuidora_id": lead["distribuidora_id"],
            "competencia": date(lead["ano"] + 1, m, 1),
            "modelo": "ingenuo_sazonal",
            "treinado_ate": date(lead["ano"], 12, 1),
            "perfil_id": name,
            "media": None if kwh is None else max(kwh, 0.0),
        }
        for bound in _BEYOND:
            off = band.get(bound)
            known = None not in (kwh, off, mean_month)
            row[bound] = max(kwh + off * mean_month, 0.0) if known else None
        found.append(row)
    return found


def _performance(whole: dict[str, Rows], cells: dict[tuple, Row]) -> Rows:
    safra = ("ano", "distribuidora_id")
    errors = ("mae", "mape", "smape")
    covers = ("cobertura_80", "cobertura_95")
    found = [
        {c: row[c] for c in (*safra, *errors, "modelo")}
        | dict.fromkeys(("mase", *covers))
        | {"tipo": "estimativa", "nivel": "camada", "serie_id": "UCAT", "publicado": True}
        for row in whole["desempenho_estimativa"]
    ]
    for row in whole["previsao_faixa"]:
        hide = cells[tuple(row[c] for c in (*safra, "perfil_id"))]["suprimido"]
        found.append(
            {c: row[c] for c in safra}
            | {c: None if hide else row[c] for c in (*errors, *covers)}
            | {"tipo": "previsao", "nivel": "uc", "serie_id": row["perfil_id"]}
            | {"modelo": "ingenuo_sazonal", "publicado": True}
            | {"mase": 1.0 if row["mae"] else None}
        )
    return found
