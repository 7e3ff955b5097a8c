"""Peak hours, load curves, and what a unit's year is with them.

Belongs here: LEADS §2, §3 and the yearly figures of §9, of one safra, by numpy. Not here: what the
market asks of a lead (market.py), sums over units (cells.py).
"""

from collections import defaultdict
from datetime import date, time

import numpy as np

from tests.golden.domains import seed
from tests.golden.expected import Domains, Row, Rows, Safra, first, greatest, month_energy, total
from tests.golden.losses import days
from tests.golden.network import SEEDS
from tests.golden.readers import legal_person

KINDS = ("DU", "SA", "DO")
PEAK_H = (18, 21)
"""No made-up distributor has a line of its own in seed posto_tarifario_hora, nor has MUX."""


def index(domains: Domains, name: str) -> dict[str, Row]:
    """A domain table by its id."""
    return {row["id"]: row for row in domains[name].to_dict("records")}


def finish(safra: Safra, domains: Domains) -> None:
    """Add calendar, curves' shares, lead_perfil, and how good the estimate is."""
    kinds = index(domains, "classe_consumo")
    shares = _shares(safra, kinds)
    tables = {
        "calendario_mensal": _calendar(safra.year),
        "curva_participacao": [
            {"nivel": level, "chave": key, "fonte": source, "participacao": share.tolist()}
            for (level, key), (source, share) in shares.items()
        ],
        "lead_perfil": [_year(safra, *unit, shares, kinds) for unit in _units(safra)],
        "desempenho_estimativa": _estimate(safra, shares, kinds),
    }
    safra.tables |= {name: [row | safra.key for row in rows] for name, rows in tables.items()}


def hours_of(year: int) -> int:
    """Hours of a year."""
    return 24 * (date(year + 1, 1, 1) - date(year, 1, 1)).days


def _calendar(year: int) -> Rows:
    return [
        {
            "mes": m,
            "dias_uteis": int(du),
            "sabados": int(sa),
            "domingos": int(do),
            "inicio_ponta": str(time(PEAK_H[0])),
            "fim_ponta": str(time(PEAK_H[1])),
        }
        for m, (du, sa, do) in enumerate(days(year), 1)
    ]


# ── Load curves ───────────────────────────────────────────────────────────────────────────────────
Forms = dict[str, np.ndarray]
"""Kind of day → 96 powers, as parts of the weekday's mean."""


def class_key(lead: Row, kinds: dict[str, Row]) -> str:
    """What stands for a unit without a curve: its voltage (high is as medium) and class."""
    group = kinds.get(lead["classe_consumo_id"], {}).get("grupo") or "não informado"
    return f"{'BT' if lead['origem'] == 'UCBT' else 'MT'} {group}"


def _forms(safra: Safra) -> dict[str, Forms]:
    curves: dict[str, Forms] = defaultdict(dict)
    for row in safra.tables["curva_carga"]:
        curves[row["tipo_curva_carga"]][row["tipo_dia"]] = np.array(row["potencia"])
    return {
        name: {kind: powers / of["DU"].mean() for kind, powers in of.items()}
        for name, of in curves.items()
        if "DU" in of and of["DU"].sum() > 0
    }


def _of_classes(safra: Safra, forms: dict[str, Forms], kinds: dict[str, Row]) -> dict[str, Forms]:
    """The median of the curves that a class's units have, each curve once; and of the voltage."""
    used: dict[str, set[str]] = defaultdict(set)
    for lead in safra.tables["lead_bruto"]:
        key = class_key(lead, kinds)
        if lead["tipo_curva_carga"] in forms:
            used[key].add(lead["tipo_curva_carga"])
            used[f"{key[:2]} todas"].add(lead["tipo_curva_carga"])
    found: dict[str, Forms] = {}
    for key, names in used.items():
        of_kind = {k: [forms[n][k] for n in sorted(names) if k in forms[n]] for k in KINDS}
        found[key] = {k: np.median(rows, axis=0) for k, rows in of_kind.items() if rows}
    return found


def _of_seed() -> dict[str, Forms]:
    found: dict[str, Forms] = defaultdict(dict)
    for row in seed(SEEDS, "curva_classe").to_dict("records"):
        powers = np.array([float(v) for v in row["potencia"].strip("{}").split(",")])
        found[row["chave"]][row["tipo_dia"]] = powers
    return found


def _share(forms: Forms, calendar: np.ndarray) -> np.ndarray:
    """Of each month's energy what falls in the peak hours of weekdays."""
    energy = {kind: powers.sum() for kind, powers in forms.items()}
    saturday = first(*(energy.get(k) for k in ("SA", "DO", "DU")))
    sunday = first(*(energy.get(k) for k in ("DO", "SA", "DU")))
    peak = forms["DU"][4 * PEAK_H[0] : 4 * PEAK_H[1]].sum()
    return calendar[:, 0] * peak / (calendar @ np.array([energy["DU"], saturday, sunday]))


Shares = dict[tuple[str, str], tuple[str, np.ndarray]]
"""Level (curva, classe) and key → source, twelve shares."""


def _shares(safra: Safra, kinds: dict[str, Row]) -> Shares:
    calendar = days(safra.year)
    forms = _forms(safra)
    found: Shares = {("curva", n): ("curva", _share(f, calendar)) for n, f in forms.items()}
    own, seeds = _of_classes(safra, forms, kinds), _of_seed()
    for voltage in ("MT", "BT"):
        for group in sorted({row["grupo"] for row in kinds.values()}):
            name, whole = f"{voltage} {group}", f"{voltage} todas"
            tries = [("classe_da_safra", own, name), ("semente", seeds, name)]
            tries += [("classe_da_safra", own, whole), ("semente", seeds, whole)]
            for source, of, key in tries:
                if key in of:
                    found["classe", name] = (source, _share(of[key], calendar))
                    break
    return found


# ── A unit's year ─────────────────────────────────────────────────────────────────────────────────
def _units(safra: Safra) -> list[tuple[Row, Row]]:
    series = {row["uc_id"]: row for row in safra.tables["lead_serie"]}
    return [(lead, series[lead["uc_id"]]) for lead in safra.tables["lead_bruto"]]


def _months(series: Row, name: str) -> list[float | None]:
    return series[name] or [None] * 12


def energy_of(series: Row) -> list[float | None]:
    """A unit's energy month by month."""
    three = [_months(series, f"energia_{n}") for n in ("total", "ponta", "fora_ponta")]
    return [month_energy(*at) for at in zip(*three, strict=True)]


def _year(safra: Safra, lead: Row, series: Row, shares: Shares, kinds: dict[str, Row]) -> Row:
    energy, measured = energy_of(series), _months(series, "energia_ponta")
    curve = shares.get(("curva", lead["tipo_curva_carga"]))
    of_class = shares.get(("classe", class_key(lead, kinds)))
    share = (curve or of_class or ("", [None] * 12))[1]
    has_posts = any(v is not None for v in measured)
    peak = measured if has_posts else [_times(e, s) for e, s in zip(energy, share, strict=True)]
    source = "medido" if has_posts else "estimado_curva" if curve else "estimado_classe"
    year, at_peak = total(energy), total(peak)
    demands = [_months(series, f"demanda_{n}") for n in ("total", "ponta", "fora_ponta")]
    demand = _positive(greatest([v for months in demands for v in months]))
    there = [v for v in energy if v is not None]
    used = year is not None and year > 0
    contract = lead["pac"]
    return {
        "uc_id": lead["uc_id"],
        "origem": lead["origem"],
        "energia_anual_kwh": year,
        "energia_ponta_kwh": at_peak,
        "energia_fora_ponta_kwh": None if at_peak is None else year - at_peak,
        "participacao_ponta": at_peak / year if used and at_peak is not None else None,
        "demanda_maxima_kw": demand,
        "demanda_ponta_kw": _positive(greatest(demands[1])),
        "razao_demanda": demand / contract if demand and contract and contract > 0 else None,
        "fator_carga": year / (demand * hours_of(safra.year)) if demand and there else None,
        "sazonalidade": max(there) * len(there) / year if used else None,
        "origem_perfil": source if there and (has_posts or curve or of_class) else None,
        "energia_mes": energy,
        "energia_ponta_mes": peak,
    }


def _times(value: float | None, share: float | None) -> float | None:
    return None if value is None or share is None else value * float(share)


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


def _estimate(safra: Safra, shares: Shares, kinds: dict[str, Row]) -> Rows:
    """How far the curve's estimate is from measured posts, of legal persons in high voltage."""
    pairs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for lead, series in _units(safra):
        if lead["origem"] != "UCAT" or not legal_person(lead, kinds):
            continue
        keys = {"curva": lead["tipo_curva_carga"], "classe": class_key(lead, kinds)}
        posts = [_months(series, f"energia_{n}") for n in ("ponta", "fora_ponta")]
        for level, key in keys.items():
            if (level, key) not in shares:
                continue
            for m, (peak, off) in enumerate(zip(*posts, strict=True)):
                if peak is not None and peak > 0 and off is not None:
                    guess = (peak + off) * shares[level, key][1][m]
                    pairs[level].append((peak, float(guess)))
    found = []
    for level, of in pairs.items():
        measured, guessed = np.array(of).T
        off = np.abs(guessed - measured)
        found.append(
            {
                "modelo": f"estimado_{level}",
                "mae": float(off.mean()),
                "mape": float(100 * (off / measured).mean()),
                "smape": float(100 * (2 * off / (np.abs(guessed) + measured)).mean()),
            }
        )
    return found
