"""What marts say of a conjunto, a município and a class by open data and the BDGD together.

Belongs here: marts of ``contexto``. Not here: the open data alone (open_data.py), the BDGD's
rollups (cells.py).
"""

import json
from collections import defaultdict
from datetime import date
from pathlib import Path

import shapely
from pyproj import Geod

from tests.golden.curves import index
from tests.golden.expected import Domains, Row, Rows, grouped, mean, total
from tests.golden.tables import TOWNS_OF_MUX

_EARTH = Geod(ellps="GRS80")
_NAMES = {
    "populacao": ("populacao", "populacao_ano"),
    "pib_brl": ("pib_brl", "pib_ano"),
    "idhm": ("idhm", "idhm_ano"),
    "renda_brl_mes": ("renda_brl_mes", "renda_ano"),
}


def expected(
    tables: dict[str, Rows], meshes: tuple[Path, ...], domains: Domains
) -> dict[str, Rows]:
    """Over all safras; but for the towns that MUX serves, whose BDGD is newer where it is there."""
    utilities = index(domains, "distribuidora")
    return {
        "marts.mart_conjunto_continuidade": _continuity(tables, utilities),
        "marts.mart_energia_bdgd_samp": _energy(tables, utilities),
        "marts.mart_contexto_municipio": [
            row
            for row in _towns(tables, meshes, domains)
            if row["municipio_id"] not in TOWNS_OF_MUX
        ],
    }


def _over(value: float | None, limit: float | None) -> float | None:
    return value / limit if value is not None and limit else None


def _continuity(tables: dict[str, Rows], utilities: dict[str, Row]) -> Rows:
    key = ("conjunto_id", "ano", "distribuidora_id")
    units = {tuple(r[c] for c in key): r for r in tables["marts.resumo_conjunto"]}
    found = []
    for row in tables["continuidade_conjunto"]:
        of = units.get(tuple(row[c] for c in key), {})
        kept = {c: v for c, v in row.items() if c != "cnpj"}
        whole = row["meses"] == 12
        found.append(
            kept
            | {
                "distribuidora": utilities.get(str(row["distribuidora_id"]), {}).get("nome"),
                "dec_sobre_limite": _over(row["dec_h"], row["dec_limite_h"]) if whole else None,
                "fec_sobre_limite": _over(row["fec"], row["fec_limite"]) if whole else None,
                "situacao": _situation(row),
                "bdgd_unidades": of.get("quantidade_leads"),
                "bdgd_media_dic_h": of.get("media_dic_anual_h"),
                "bdgd_media_fic": of.get("media_fic_anual"),
            }
        )
    return found


def _situation(row: Row) -> str:
    if row["meses"] < 12:
        return "ano incompleto"
    if None in (row["dec_limite_h"], row["fec_limite"]):
        return "sem limite"
    over = [n for n, v, limit in (("DEC", "dec_h", "dec_limite_h"), ("FEC", "fec", "fec_limite"))
            if row[v] > row[limit]]  # fmt: skip
    return {0: "dentro", 1: f"acima no {over[0] if over else ''}", 2: "acima nos dois"}[len(over)]


# ── SAMP ──────────────────────────────────────────────────────────────────────────────────────────
def _energy(tables: dict[str, Rows], utilities: dict[str, Row]) -> Rows:
    """What both say of a class's captive energy in a year."""
    ours: dict[tuple, Rows] = defaultdict(list)
    for row in tables["marts.resumo_classe"]:
        ours[row["ano"], row["distribuidora_id"], row["classe"] or "não informado"].append(row)
    theirs: dict[tuple, Rows] = defaultdict(list)
    for row in tables["consumo_samp_mensal"]:
        if row["distribuidora_id"] is not None and row["opcao_energia"] == "CATIVO":
            key = (row["competencia"].year, row["distribuidora_id"], row["classe_grupo"])
            theirs[key].append(row)
    found = []
    for key in ours.keys() | theirs.keys():
        captive = total(
            [
                r["energia_anual_kwh"] * (1 - (r["energia_livre_pct"] or 0) / 100)
                for r in ours[key]
                if r["energia_anual_kwh"] is not None
            ]
        )
        sold = total([r["energia_te_kwh"] for r in theirs[key]])
        months = len({r["competencia"] for r in theirs[key]})
        apart = None if None in (captive, sold) else captive - sold
        said = "sem dados"
        if apart is not None and months >= 12:
            said = "confere" if abs(apart) <= 0.05 * abs(sold) else "diverge"
        found.append(
            {
                "ano": key[0],
                "distribuidora_id": key[1],
                "distribuidora": utilities[str(key[1])]["nome"],
                "classe": key[2],
                "bdgd_cativa_kwh": captive,
                "samp_cativa_kwh": sold,
                "samp_refaturada_kwh": total([r["refaturada_te_kwh"] for r in theirs[key]]),
                "samp_meses": months,
                "diferenca_kwh": apart,
                "diferenca_pct": 100 * apart / sold if apart is not None and sold else None,
                "suprimido": any(r["suprimido"] for r in ours[key]),
                "situacao": said,
            }
        )
    return found


# ── A município ───────────────────────────────────────────────────────────────────────────────────
def _areas(meshes: tuple[Path, ...]) -> dict[int, float]:
    """Square kilometres on the ellipsoid, of the newest file that has it."""
    found = {}
    for path in meshes:
        for feature in json.loads(path.read_text())["features"]:
            ring = shapely.geometry.shape(feature["geometry"])
            area, _ = _EARTH.geometry_area_perimeter(ring)
            found[int(feature["properties"]["codarea"])] = abs(area) / 1e6
    return found


def _towns(tables: dict[str, Rows], meshes: tuple[Path, ...], domains: Domains) -> Rows:
    areas, told = _areas(meshes), grouped(tables["municipio_indicador"], "municipio_id")
    division = {r["municipio_id"]: r for r in tables["municipio_divisao"]}
    station = {r["municipio_id"]: r for r in tables["municipio_estacao"]}
    ours: dict[int, Rows] = defaultdict(list)
    for row in tables["marts.resumo_municipio"]:
        if row["municipio_id"]:
            ours[int(row["municipio_id"])].append(row)
    market: dict[int, dict[int, Rows]] = defaultdict(lambda: defaultdict(list))
    for row in tables["consumo_ccee_mensal"]:
        if row["municipio_id"]:
            market[row["municipio_id"]][row["competencia"].year].append(row)
    weather = _years_of_weather(tables["clima_mensal"])
    found = []
    for code, town in index(domains, "municipio").items():
        key = int(code)
        area = areas.get(key)
        newest = max(ours[key], key=lambda r: r["ano"], default=None)
        row = _indicators(told.get((key,), []))
        row |= _bdgd(newest) | _ccee(market[key], newest)
        near = station[key]
        row |= {
            "municipio_id": key,
            "municipio": town["nome"],
            "uf": town["uf"],
            "regiao_imediata": division.get(key, {}).get("regiao_imediata"),
            "area_km2": area,
            "densidade_hab_km2": _over(row["populacao"], area),
            "estacao": near["estacao"],
            "estacao_distancia_km": near["distancia_km"],
        }
        found.append(row | weather[near["estacao"]])
    return found


def _indicators(of: Rows) -> Row:
    """Each one's newest; the GDP's by the population of the nearest year, the earlier of two."""
    years = {n: {r["ano"]: r["valor"] for r in of if r["indicador"] == n} for n in _NAMES}
    row: Row = {"pib_per_capita_brl": None, "pib_populacao_ano": None}
    for name, (value, year) in _NAMES.items():
        newest = max(years[name], default=None)
        row |= {value: years[name].get(newest), year: newest}
    people = years["populacao"]
    if row["pib_ano"] and people:
        year = min(people, key=lambda y: (abs(y - row["pib_ano"]), y))
        row |= {
            "pib_populacao_ano": year,
            "pib_per_capita_brl": _over(row["pib_brl"], people[year]),
        }
    return row


def _bdgd(newest: Row | None) -> Row:
    row = newest or {"ano": None, "energia_anual_kwh": None, "energia_livre_pct": None}
    kwh, share = row["energia_anual_kwh"], row["energia_livre_pct"]
    return {
        "bdgd_ano": row["ano"],
        "bdgd_energia_mwh": None if kwh is None else kwh / 1000,
        "bdgd_livre_mwh": None if None in (kwh, share) else kwh / 1000 * share / 100,
    }


def _ccee(years: dict[int, Rows], newest: Row | None) -> Row:
    """The BDGD's year where it is there, else the newest."""
    ours = newest and newest["ano"]
    year = ours if ours in years else max(years, default=None)
    rows = years.get(year, [])
    months = len({r["competencia"] for r in rows}) or None
    energy = total([r["consumo_livre_mwh"] for r in rows])
    free = _bdgd(newest)["bdgd_livre_mwh"]
    same = year == ours and months == 12 and None not in (free, energy)
    return {
        "ccee_ano": year,
        "ccee_meses": months,
        "ccee_livre_mwh": energy,
        "livre_diferenca_mwh": free - energy if same else None,
    }


def _years_of_weather(rows: Rows) -> dict[str, Row]:
    """Station → its newest whole year, or its newest."""
    found = {}
    for (station,), of in grouped(rows, "estacao").items():
        years: dict[int, Rows] = defaultdict(list)
        for row in of:
            when: date = row["competencia"]
            years[when.year].append(row)
        year = max(years, key=lambda y: (len(years[y]) == 12, y))
        found[station] = {
            "clima_ano": year,
            "clima_meses": len(years[year]),
            "temperatura_media_c": mean([r["temperatura_media_c"] for r in years[year]]),
            "precipitacao_mm": total([r["precipitacao_mm"] for r in years[year]]),
        }
    return found
