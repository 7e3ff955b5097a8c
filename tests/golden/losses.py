"""What the network loses, and how loaded it is: feeders, the distributor, transformers.

Belongs here: LEADS §4 and marts/perdas of one safra, by numpy. Not here: the layers and feeders'
energy that it is worked out of (network.py).
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from tests.golden.expected import Domains, Row, Rows, Safra, total
from tests.golden.hiding import Cell, cell_of, hidden, small, together
from tests.golden.network import LOSSES, SEEDS, added, by_key, units_of

POWER_FACTOR = 0.92


def finish(safra: Safra, domains: Domains) -> None:
    """Add the losses' marts to a safra whose network is there."""
    kinds = {row["id"]: row for row in domains["classe_consumo"].to_dict("records")}
    for name, rows in (
        ("mart_perda_alimentador", lambda: _losses(safra)),
        ("mart_perda_alimentador_mensal", lambda: _monthly_losses(safra)),
        ("mart_balanco_distribuidora", lambda: _balance(safra)),
        ("mart_transformador", lambda: _loading(safra, units_of(safra, kinds))),
    ):
        safra.tables[f"marts.{name}"] = [row | safra.key for row in rows()]


def present(safra: Safra) -> dict[str, int]:
    return {r["camada"]: r["linhas"] for r in safra.tables["safra_camada"]}


def _of(rows: Rows, *layers: str) -> list[Row]:
    return [r for r in rows if r["origem"] in layers]


def _cell(row: Row) -> Cell:
    """Of a feeder's units of one layer."""
    return Cell(
        *(row["unidades"], row["unidades_pf"]),
        *(row["energia_anual_kwh"], row["maior_energia_anual_kwh"]),
        *(row["energia_pf_kwh"], row["maior_energia_pf_kwh"]),
    )


def _hidden_feeders(energy: Rows) -> set:
    cells, must = {}, set()
    for feeder, rows in by_key(_of(energy, "UCMT", "UCBT"), lambda r: r["circuito"]).items():
        of_layers = [_cell(r) for r in rows]
        cells[feeder] = together(of_layers)
        if any(map(small, of_layers)):
            must.add(feeder)
    return hidden(cells, must)


def _losses(safra: Safra) -> Rows:
    energy, there = safra.tables["alimentador_energia"], present(safra)
    feeders = {r["circuito"]: r for r in safra.tables["alimentador"]}
    by_feeder = by_key(energy, lambda r: r["circuito"])
    low = {f for f, rows in by_feeder.items() if any(r["origem"][2:] != "AT" for r in rows)}
    names = {*feeders, *low}

    def kwh(name: str | None, *layers: str) -> float:
        rows = _of(by_feeder.get(name, []), *layers)
        return total([r["energia_anual_kwh"] for r in rows]) or 0.0

    went_in = {n: total(f["energia_injetada"]) or 0.0 for n, f in feeders.items()}
    fed = [n for n in feeders if went_in[n] > 0]
    billed = sum(kwh(n, "UCMT", "UCBT", "PIP") for n in fed)
    ratio = sum(went_in[n] for n in fed) / billed if billed else 1
    factor = 1000 if 0.0001 <= ratio <= 0.03 else 1
    gone = _hidden_feeders(energy)
    rows = []
    for name in names:
        feeder = feeders.get(name)
        row = {
            "unidades": sum(
                r["unidades"] for r in _of(by_feeder.get(name, []), "UCAT", "UCMT", "UCBT")
            )
            if there.get("UCMT") and there.get("UCBT")
            else None,
            "injetada_kwh": went_in[name] * factor if feeder else None,
            "gerada_kwh": kwh(name, "UGMT", "UGBT") if {"UGMT", "UGBT"} <= there.keys() else None,
            "faturada_at_kwh": kwh(name, "UCAT") if "UCAT" in there else None,
            "faturada_mt_kwh": kwh(name, "UCMT") if there.get("UCMT") else None,
            "faturada_bt_kwh": kwh(name, "UCBT") if there.get("UCBT") else None,
            "iluminacao_kwh": kwh(name, "PIP") if "PIP" in there else None,
        }
        parts = list(row.values())[1:]
        known = None not in parts and (row["unidades"] > 0 or parts[0] == 0)
        row["perdas_kwh"] = parts[0] + parts[1] - sum(parts[2:]) if known else None
        entry = parts[0] + parts[1] if None not in parts[:2] else None
        row["perdas_pct"] = 100 * row["perdas_kwh"] / entry if known and entry else None
        technical = [feeder[c] for c in LOSSES] if feeder else []
        other = [*feeder["perda_nao_tecnica_mt"], *feeder["perda_nao_tecnica_bt"]] if feeder else []
        row["tecnicas_declaradas_kwh"] = (total(technical) or 0) * factor if feeder else None
        row["nao_tecnicas_declaradas_kwh"] = (total(other) or 0) * factor if feeder else None
        if name in gone:
            row = dict.fromkeys(row)
        state = "unidade_suspeita" if factor == 1000 else "completo"
        state = "impossivel" if known and parts[0] + parts[1] < sum(parts[2:]) else state
        rows.append(
            row
            | {
                "circuito": name,
                "nome": feeder and feeder["nome"],
                "subestacao": feeder and feeder["subestacao"],
                "suprimido": name in gone,
                "fator_unidade": factor if fed else 1,
                "situacao": state if known else "incompleto",
                "posicao": None,
            }
        )
    good = [
        r
        for r in rows
        if r["situacao"] in ("completo", "unidade_suspeita") and r["perdas_pct"] is not None
    ]
    for row in good:
        row["posicao"] = 1 + sum(r["perdas_pct"] > row["perdas_pct"] for r in good)
    return rows


def _monthly_losses(safra: Safra) -> Rows:
    feeders = {r["circuito"]: r for r in safra.tables["alimentador"]}
    by_feeder = by_key(safra.tables["alimentador_energia"], lambda r: r["circuito"])
    found = []
    for year in safra.tables["marts.mart_perda_alimentador"]:
        if year["suprimido"]:
            continue
        name, factor = year["circuito"], year["fator_unidade"]
        mine, feeder = by_feeder.get(name, []), feeders.get(name)

        def of(
            column: str, *layers: str, mine: Rows = mine, year: Row = year
        ) -> list[float | None]:
            if year[column] is None:
                return [None] * 12
            vectors = [r["energia_mes"] for r in _of(mine, *layers)]
            return [v or 0.0 for v in added(vectors)] if vectors else [0.0] * 12

        columns = {
            "injetada_kwh": [(v or 0.0) * factor for v in feeder["energia_injetada"]]
            if feeder
            else [None] * 12,
            "gerada_kwh": of("gerada_kwh", "UGMT", "UGBT"),
            "faturada_at_kwh": of("faturada_at_kwh", "UCAT"),
            "faturada_mt_kwh": of("faturada_mt_kwh", "UCMT"),
            "faturada_bt_kwh": of("faturada_bt_kwh", "UCBT"),
            "iluminacao_kwh": of("iluminacao_kwh", "PIP"),
        }
        months = [
            dict(zip(columns, values, strict=True))
            for values in zip(*columns.values(), strict=True)
        ]
        for row in months:
            out = [row[c] for c in list(columns)[2:]]
            known = year["situacao"] != "incompleto"
            entry = row["injetada_kwh"] + row["gerada_kwh"] if known else None
            row["entry"] = entry
            row["perdas_kwh"] = entry - sum(out) if known else None
            row["perdas_pct"] = 100 * row["perdas_kwh"] / entry if entry else None
        for n, row in enumerate(months):
            three = months[n - 2 : n + 1] if n >= 2 and row["entry"] is not None else []
            lost, entry = (sum(r[c] for r in three) for c in ("perdas_kwh", "entry"))
            row["perdas_media_3m_kwh"] = lost / 3 if three else None
            row["perdas_media_3m_pct"] = 100 * lost / entry if three and entry else None
            kinds = ("perda_nao_tecnica_mt", "perda_nao_tecnica_bt")
            row["nao_tecnicas_declaradas_kwh"] = (
                (total([feeder[k][n] for k in kinds]) or 0) * factor if feeder else None
            )
            found.append(
                {c: v for c, v in row.items() if c != "entry"}
                | {"circuito": name, "mes": n + 1, "fator_unidade": factor}
                | {"situacao": year["situacao"]}
            )
    return found


# ── The distributor ───────────────────────────────────────────────────────────────────────────────
ITEMS = {
    "faturada_at": (["UCAT"], "BE"),
    "faturada_mt": (["UCMT"], "BE"),
    "faturada_bt": (["UCBT", "PIP"], "BE"),
    "gerada": (["UGAT", "UGMT", "UGBT"], "BE"),
    "nao_tecnica": (["CTMT"], "PNT"),
}


MAY_BE_EMPTY = ("UCAT", "UGAT", "UGMT", "UGBT", "PIP")


def _item(row: Row) -> str | None:
    if row["origem_energia"] in ("IG", "IGD"):
        return "gerada"
    if row["origem_energia"] not in ("FMC", "FML"):
        return None
    group = row["subgrupo"]
    if group in ("A1", "A2", "A3"):
        return "faturada_at"
    return "faturada_mt" if group.startswith("A") else "faturada_bt"


def _balance(safra: Safra) -> Rows:
    energy, there = safra.tables["alimentador_energia"], present(safra)
    factor = max(
        (r["fator_unidade"] for r in safra.tables["marts.mart_perda_alimentador"]), default=1
    )
    cells, must, found = {}, set(), []
    for item, (layers, declared_in) in ITEMS.items():
        summed = total([r["energia_anual_kwh"] for r in _of(energy, *layers)]) or 0.0
        declared = [
            r["energia_anual_mwh"] for r in safra.tables["balanco_energia"] if _item(r) == item
        ]
        if item == "nao_tecnica":
            feeders = safra.tables["alimentador"]
            vectors = [
                f[k] for f in feeders for k in ("perda_nao_tecnica_mt", "perda_nao_tecnica_bt")
            ]
            summed = factor * (total([v for vector in vectors for v in vector]) or 0.0)
            declared = [r["energia_anual_mwh"] for r in safra.tables["perda_nao_tecnica"]]
        told = all(there.get(c, 0) > 0 or (c in MAY_BE_EMPTY and c in there) for c in layers)
        if item.startswith("faturada") and (rows := _of(energy, *layers)):
            units = together(_cell(r) for r in rows if r["origem"] != "PIP")
            cells[item] = units._replace(kwh=summed)
            if small(cells[item]):
                must.add(item)
        found.append(
            {
                "item": item,
                "declarada_kwh": 1000 * (total(declared) or 0.0)
                if there.get(declared_in)
                else None,
                "somada_kwh": summed if told else None,
            }
        )
    gone = hidden(cells, must)
    for row in found:
        declared, summed = row["declarada_kwh"], row["somada_kwh"]
        known = None not in (declared, summed)
        row["situacao"] = "sem dados"
        if known:
            row["situacao"] = "confere" if abs(summed - declared) <= 0.02 * declared else "diverge"
        row["diferenca_pct"] = 100 * (summed - declared) / declared if known and declared else None
        row["suprimido"] = row["item"] in gone
        if row["suprimido"]:
            row |= dict.fromkeys(("declarada_kwh", "somada_kwh", "diferenca_pct"))
    return found


# ── Transformers ──────────────────────────────────────────────────────────────────────────────────
def days(year: int) -> np.ndarray:
    """Weekdays, Saturdays, and Sundays with national holidays, of each month: 12 × 3."""
    holidays = set(pd.read_csv(SEEDS / "feriado.csv", dtype=str)["data"])
    found = np.zeros((12, 3))
    one = date(year, 1, 1)
    while one.year == year:
        kind = 2 if one.isoformat() in holidays else max(0, one.weekday() - 4)
        found[one.month - 1, kind] += 1
        one += timedelta(days=1)
    return found


def _peak(units: Rows, curves: dict[str, np.ndarray], calendar: np.ndarray) -> float | None:
    """The greatest hour, kW, in the month of the greatest mean power."""
    used = [u for u in units if any(u["months"])]
    if any(u["curve"] not in curves for u in used):
        return None
    months = np.array([[v or 0.0 for v in u["months"]] for u in units])
    month = int(np.argmax(months.sum(axis=0) / calendar.sum(axis=1)))
    load = np.zeros((3, 24))
    for unit, kwh in zip(units, months[:, month], strict=True):
        if unit["curve"] in curves:
            hours = curves[unit["curve"]]
            load += kwh * hours / (calendar[month] * hours.sum(axis=1)).sum()
    return float(load.max())


def _loading(safra: Safra, units: Rows) -> Rows:
    calendar = days(safra.year)
    curves: dict[str, np.ndarray] = {}
    for row in safra.tables["curva_carga"]:
        hours = np.array(row["potencia"]).reshape(24, 4).mean(axis=1)
        kind = ("DU", "SA", "DO").index(row["tipo_dia"])
        curves.setdefault(row["tipo_curva_carga"], np.zeros((3, 24)))[kind] = hours
    of = by_key([u for u in units if u["transformer"]], lambda u: u["transformer"])
    cells: dict[str, dict[str, Cell]] = {}
    for t in safra.tables["transformador"]:
        if mine := of.get(t["transformador"]):
            cell = cell_of((u["person"], u["kwh"]) for u in mine)
            cells.setdefault(t["circuito"] or "", {})[t["transformador"]] = cell
    gone = set()
    for part in cells.values():
        gone |= hidden(part, {k for k, cell in part.items() if small(cell)})
    told = bool(present(safra).get("UCBT"))
    kept = "potencia_kva latitude longitude municipio_id conjunto_id transformador circuito"
    kept += " subestacao situacao_uc_id geom"
    found = []
    for t in safra.tables["transformador"]:
        mine = of.get(t["transformador"], [])
        shown = t["transformador"] not in gone
        kwh = total([u["kwh"] for u in mine]) or 0.0
        usable = POWER_FACTOR * t["potencia_kva"] if t["potencia_kva"] else None
        peak = _peak(mine, curves, calendar) if mine else None
        hours = 24 * float(calendar.sum())
        known = shown and told and mine and usable
        found.append(
            {c: t[c] for c in kept.split()}
            | {
                "unidades": len(mine) if shown and told else None,
                "energia_anual_kwh": kwh if shown and told else None,
                "carregamento_medio": kwh / (hours * usable) if known else None,
                "carregamento_maximo": peak / usable if known and peak is not None else None,
                "suprimido": not shown,
            }
        )
    return found
