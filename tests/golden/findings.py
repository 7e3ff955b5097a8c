"""Anomalies of a safra, unit by unit and area by area, with what they say.

Belongs here: every kind of seed anomalia_tipo by numpy, from months and attributes. Not here: the
months themselves (market.py), the same from a geodatabase alone (anomalies.py).
"""

import calendar
import math
from datetime import date
from typing import Any

import numpy as np

from tests.golden.anomalies import limits_of_kinds
from tests.golden.curves import index
from tests.golden.expected import Domains, Row, Rows, Safra, greatest, grouped, total
from tests.golden.hiding import along, cell_of, small
from tests.golden.readers import legal_person
from tests.golden.scores import written

HALF_A_YEAR = 6
"""Months with consumption from which a unit's median says something."""
MOST_TIMES = 3.0
_TO_SIGMA = 0.6745
Limits = dict[str, dict[str, float]]


def finish(safra: Safra, domains: Domains, earlier: list[Safra]) -> None:
    """Add anomalia and its mart; ``earlier`` are the distributor's safras before."""
    limits = limits_of_kinds()
    units = _units(safra, index(domains, "classe_consumo"))
    marks = [mark for unit in units for mark in _of_months(unit, limits, safra.year)]
    marks += [mark for unit in units for mark in _runs(unit, limits)]
    marks += _beside_peers(units, limits["desvio_dos_pares"])
    before = max(earlier, key=lambda s: s.year, default=None)
    if before:
        marks += _beside_the_year_before(units, before, limits["variacao_anual"])
    marks += _areas(units, limits["queda_na_area"])
    rows = [_row(mark, limits, safra.year) | safra.key for mark in marks]
    safra.tables["anomalia"] = rows
    safra.tables["marts.mart_anomalia"] = [
        {c: v for c, v in row.items() if c != "visivel"} for row in rows if row["visivel"]
    ]


def _units(safra: Safra, kinds: dict[str, Row]) -> Rows:
    year = {row["uc_id"]: row for row in safra.tables["lead_perfil"]}
    series = {row["uc_id"]: row for row in safra.tables["lead_serie"]}
    found = []
    for lead in safra.tables["lead_bruto"]:
        months = year[lead["uc_id"]]["energia_mes"]
        there = [v for v in months if v is not None and v > 0]
        median = float(np.median(there)) if there else None
        spread = [abs(math.log(v / median)) for v in there]
        active = lead["situacao_uc_id"] == "AT"
        connected = lead["data_conexao"]
        demand: list[float | None] = [None] * 12
        if lead["pac"] is not None and lead["pac"] > 0:
            mine = series[lead["uc_id"]]
            posts = [mine[f"demanda_{n}"] or [None] * 12 for n in ("total", "ponta", "fora_ponta")]
            demand = [greatest(list(at)) for at in zip(*posts, strict=True)]
        times = None
        if active and len(there) >= HALF_A_YEAR:
            times = [None if v is None else min(v / median, MOST_TIMES) for v in months]
        found.append(
            lead
            | {
                "person": not legal_person(lead, kinds),
                "months": months,
                "kwh": year[lead["uc_id"]]["energia_anual_kwh"],
                "median": median,
                "used": len(there),
                "mad": float(np.median(spread)) if there else None,
                "active": active,
                "older": connected is None or connected < date(safra.year, 1, 1),
                "demand": demand,
                "with_demand": sum(v is not None and v > 0 for v in demand),
                "times": times,
            }
        )
    return found


def _mark(unit: Row, kind: str, month: int | None, **said: Any) -> Row:  # noqa: ANN401
    return {
        "nivel": "uc",
        "serie_id": unit["uc_id"],
        "uc_id": unit["uc_id"],
        "visivel": not unit["person"],
        "tipo": kind,
        "mes": month,
        "esperado": None,
        "support": None,
    } | said


# ── A unit's months ───────────────────────────────────────────────────────────────────────────────
def _of_months(unit: Row, limits: Limits, year: int) -> Rows:
    median, found = unit["median"], []
    if median is None:
        return found
    own, peak = limits["desvio_proprio"], limits["pico"]
    for month, (kwh, kw) in enumerate(zip(unit["months"], unit["demand"], strict=True), 1):
        if kwh is None:
            continue
        ratio = kwh / median
        if kwh > 0 and unit["used"] >= own["minimo_n"]:
            z = _TO_SIGMA * math.log(ratio) / max(unit["mad"], own["piso_mad"])
            odd = abs(z) >= own["limite"] and abs(math.log(ratio)) >= math.log(own["efeito_minimo"])
            if odd and abs(kwh - median) >= own["minimo_kwh"]:
                said = {"valor": kwh, "esperado": median, "medida": z}
                found.append(_mark(unit, "desvio_proprio", month, **said))
        enough = kwh >= peak["minimo_kwh"] and unit["used"] >= peak["minimo_n"]
        if enough and kwh >= peak["limite"] * median:
            said = {"valor": kwh, "esperado": median, "medida": ratio}
            found.append(_mark(unit, "pico", month, **said))
        if kw is not None:
            hours = 24 * calendar.monthrange(year, month)[1]
            found += _beside_demand(unit, month, kwh, kw, hours, limits)
    return found


def _beside_demand(
    unit: Row, month: int, kwh: float, kw: float, hours: int, limits: Limits
) -> Rows:
    median, found = unit["median"], []
    k = limits["energia_sem_demanda"]
    much = kwh >= k["limite"] * median and kwh >= k["minimo_kwh"]
    if kw == 0 and much and unit["with_demand"] >= k["minimo_n"]:
        said = {"valor": kwh, "medida": kwh / median, "support": unit["with_demand"]}
        found.append(_mark(unit, "energia_sem_demanda", month, **said))
    k = limits["demanda_sem_energia"]
    used = median >= k["minimo_kwh"] and unit["used"] >= k["minimo_n"]
    if kwh == 0 and kw >= k["limite"] and used:
        said = {"valor": kwh, "esperado": median, "medida": kw}
        found.append(_mark(unit, "demanda_sem_energia", month, **said))
    k = limits["energia_acima_da_demanda"]
    if kw > 0 and kwh >= k["minimo_kwh"] and kwh >= k["limite"] * kw * hours:
        said = {"valor": kwh, "esperado": kw * hours, "medida": kwh / (kw * hours), "support": kw}
        found.append(_mark(unit, "energia_acima_da_demanda", month, **said))
    return found


def _runs(unit: Row, limits: Limits) -> Rows:
    """One number again and again, or nothing in an active unit that had some before."""
    flat, nought, found = limits["linha_reta"], limits["zeros"], []
    months = unit["months"]
    first = 0
    while first < 12:
        last = first
        while last < 11 and months[last + 1] == months[first]:
            last += 1
        kwh, length = months[first], last - first + 1
        if kwh is not None and kwh > 0:
            if kwh >= flat["minimo_kwh"] and length >= flat["limite"]:
                said = {"valor": kwh, "medida": float(length)}
                found.append(_mark(unit, "linha_reta", first + 1, **said))
        elif kwh == 0 and unit["active"] and length >= nought["limite"]:
            before = months[first - 1] if first else None
            used = before is not None and before > 0 and unit["median"] >= nought["minimo_kwh"]
            if used or (length == 12 and unit["older"]):
                said = {"valor": kwh, "esperado": unit["median"], "medida": float(length)}
                found.append(_mark(unit, "zeros", first + 1, **said))
        first = last + 1
    return found


# ── Beside others, beside itself ──────────────────────────────────────────────────────────────────
def _beside_peers(units: Rows, limit: dict[str, float]) -> Rows:
    found = []
    used = [u for u in units if u["active"] and u["used"] >= HALF_A_YEAR]
    peers = ("origem", "classe_consumo_id", "municipio_id", "tipo_curva_carga")
    for key, of in grouped(used, *peers).items():
        if None in key or len(of) < limit["minimo_n"]:
            continue
        logs = np.log([u["median"] for u in of])
        centre = float(np.median(logs))
        off = logs - centre
        mad = max(float(np.median(np.abs(off))), limit["piso_mad"])
        for unit, away in zip(of, off.tolist(), strict=True):
            z = _TO_SIGMA * away / mad
            far = abs(unit["median"] - math.exp(centre)) >= limit["minimo_kwh"]
            much = abs(away) >= math.log(limit["efeito_minimo"]) and abs(z) >= limit["limite"]
            if far and much:
                said = {"valor": unit["median"], "esperado": math.exp(centre)}
                said |= {"medida": z, "support": len(of)}
                found.append(_mark(unit, "desvio_dos_pares", None, **said))
    return found


def _beside_the_year_before(units: Rows, before: Safra, limit: dict[str, float]) -> Rows:
    """By COD_ID; a ratio that all have is no unit's own."""
    was = {}
    year = {row["uc_id"]: row for row in before.tables["lead_perfil"]}
    for lead in before.tables["lead_bruto"]:
        row = year[lead["uc_id"]]
        used = sum(v is not None and v > 0 for v in row["energia_mes"])
        if used >= limit["minimo_n"]:
            was[lead["origem"], lead["cod_id"]] = row["energia_anual_kwh"]
    both = [
        (u, was[u["origem"], u["cod_id"]])
        for u in units
        if u["used"] >= limit["minimo_n"] and (u["origem"], u["cod_id"]) in was
    ]
    if not both:
        return []
    ratio = float(np.median([u["kwh"] / then for u, then in both]))
    found = []
    for unit, then in both:
        expected = then * ratio
        times = unit["kwh"] / expected
        far = abs(unit["kwh"] - expected) >= limit["minimo_kwh"]
        if far and abs(math.log(times)) >= math.log(limit["limite"]):
            said = {"valor": unit["kwh"], "esperado": expected, "support": before.year}
            said["medida"] = max(times, 1 / times)
            found.append(_mark(unit, "variacao_anual", None, **said))
    return found


# ── Areas ─────────────────────────────────────────────────────────────────────────────────────────
_LEVELS = {
    "municipio": ("municipio_id",),
    "bairro": ("municipio_id", "bairro"),
    "conjunto": ("conjunto_id",),
    "circuito": ("circuito",),
}


def _areas(units: Rows, limit: dict[str, float]) -> Rows:
    series = {
        (level, *key): of
        for level, columns in _LEVELS.items()
        for key, of in grouped(units, *columns).items()
    }
    cells = {key: cell_of((u["person"], u["kwh"]) for u in of) for key, of in series.items()}
    totals = [lambda k: (k[0], k[1] if k[0] == "bairro" else None), lambda k: k[0]]
    gone = along(cells, totals)
    measured = [u["times"] for u in units if u["times"]]
    found = []
    for key, of in series.items():
        if None not in key and len(of) >= limit["minimo_n"]:
            found += _falls(key, of, measured, limit, hide=key in gone)
    return found


def _season(of: Rows, measured: list, month: int) -> float | None:
    """What units outside the area do on average; where there are hardly any, nothing."""
    inside = [u["times"] for u in of if u["times"]]
    outside = len(measured) - len(inside)
    if outside == 0 or len(measured) < 1.1 * len(inside):
        return 1.0
    whole, mine = (total([t[month] for t in times]) or 0.0 for times in (measured, inside))
    return (max(whole - mine, 0.0) / outside) or None


def _falls(key: tuple, of: Rows, measured: list, limit: dict[str, float], *, hide: bool) -> Rows:
    months = [total([u["months"][m] for u in of]) for m in range(12)]
    season = [_season(of, measured, m) for m in range(12)]
    used = [m for m in range(12) if months[m] is not None and months[m] > 0]
    if len(used) < HALF_A_YEAR:
        return []
    centre = float(np.median([math.log(months[m] / season[m]) for m in used if season[m]]))
    floor = math.exp(centre) / 1000
    off = []
    for kwh, estacao in zip(months, season, strict=True):
        told = kwh is not None and estacao
        off.append(math.log(max(kwh / estacao, floor) if told else floor) - centre)
    mad = max(float(np.median(np.abs(off))), limit["piso_mad"])
    found = []
    for m, (kwh, estacao) in enumerate(zip(months, season, strict=True)):
        if kwh is None or not estacao:
            continue
        expected, z = math.exp(centre) * estacao, _TO_SIGMA * off[m] / mad
        far = expected - kwh >= limit["minimo_kwh"] and z <= -limit["limite"]
        if far and kwh <= (1 - limit["efeito_minimo"]) * expected:
            cell = cell_of((u["person"], u["months"][m]) for u in of)
            found.append(
                {
                    "nivel": key[0],
                    "serie_id": "|".join(map(str, key[1:])),
                    "uc_id": None,
                    "tipo": "queda_na_area",
                    "mes": m + 1,
                    "valor": kwh,
                    "esperado": expected,
                    "medida": z,
                    "support": len(of),
                    "visivel": not hide and not small(cell),
                }
            )
    return found


# ── In words ──────────────────────────────────────────────────────────────────────────────────────
def _row(mark: Row, limits: Limits, year: int) -> Row:
    row = {c: v for c, v in mark.items() if c not in ("medida", "support")}
    row["escore"] = abs(mark["medida"]) / limits[mark["tipo"]]["limite"]
    return row | {"evidencia": _said(mark, year)}


def _times_the(ratio: float) -> str:
    return f"{written(ratio, 1)} vezes a" if ratio >= 1 else f"{written(100 * ratio, 1)} % da"


def _said(mark: Row, year: int) -> str:
    kind, value, expected = mark["tipo"], mark["valor"], mark["esperado"]
    when = f"{mark['mes']:02d}/{year}" if mark["mes"] else ""
    kwh, usual = written(value), "" if expected is None else written(expected)
    measure, support = written(mark["medida"], 1), mark["support"]
    beside = _times_the(value / expected) if expected else ""
    if kind == "zeros" and expected is None:
        return (
            f"Nenhum consumo nos 12 meses de {year}, em unidade ativa que já estava ligada antes."
        )
    return {
        "desvio_proprio": lambda: (
            f"Em {when} consumiu {kwh} kWh, {beside} mediana dos seus meses ({usual} kWh);"
            f" z robusto {measure}."
        ),
        "pico": lambda: (
            f"Em {when} consumiu {kwh} kWh, {measure} vezes a mediana dos seus meses ({usual} kWh)."
        ),
        "linha_reta": lambda: (
            f"{written(mark['medida'])} meses seguidos com o mesmo consumo, {kwh} kWh,"
            f" desde {when}."
        ),
        "zeros": lambda: (
            f"{written(mark['medida'])} meses seguidos sem consumo desde {when}, em unidade ativa;"
            f" a mediana dos seus outros meses é {usual} kWh."
        ),
        "desvio_dos_pares": lambda: (
            f"A mediana dos seus meses, {kwh} kWh, é {beside} de {written(support)} unidades de"
            f" mesma classe, município e curva ({usual} kWh); z robusto {measure}."
        ),
        "variacao_anual": lambda: (
            f"Consumiu {kwh} kWh em {year}, {beside} energia que a safra de {support} fazia esperar"
            f" ({usual} kWh)."
        ),
        "energia_sem_demanda": lambda: (
            f"Em {when} consumiu {kwh} kWh com demanda zero; em {written(support)} meses do ano"
            " mede demanda."
        ),
        "demanda_sem_energia": lambda: (
            f"Em {when} mediu {measure} kW de demanda e nenhuma energia; a mediana dos seus outros"
            f" meses é {usual} kWh."
        ),
        "energia_acima_da_demanda": lambda: (
            f"Em {when} consumiu {kwh} kWh; a demanda medida, {written(support, 1)} kW, o mês"
            f" inteiro daria {usual} kWh."
        ),
        "queda_na_area": lambda: (
            f"Em {when} as {written(support)} unidades consumiram {kwh} kWh,"
            f" {written(100 * (1 - value / expected), 1)} % abaixo do esperado ({usual} kWh);"
            f" z robusto {measure}."
        ),
    }[kind]()
