"""What the network's layers must become: feeders, generation, lamps, transformers, losses.

Belongs here: the tables of models/intel_lead/rede and marts/perdas, of one safra, by pandas and
numpy. Not here: reading (layers.py), units and their months (expected.py).
The rules are those of docs/divergences.md and of the columns' descriptions.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import shapely

from tests.golden.expected import Domains, Rows, Safra, point, total
from tests.golden.hiding import hidden, small
from tests.golden.layers import Delivery, code, day, in_brazil, number, shape, text
from tests.golden.readers import legal_person

Row = dict[str, Any]
SEEDS = Path(__file__).resolve().parent.parent.parent / "seeds"
LOSSES = {
    "perda_linha": ["A3A", "A4"],
    "perda_baixa_tensao": ["B"],
    "perda_medidor": ["MED"],
    "perda_transformador": ["A3AA4", "A3A_B", "A4A3A", "A4_B", "B_A3A", "B_A4"],
}
POWER_FACTOR = 0.92


def finish(safra: Safra, deliveries: list[Delivery], domains: Domains) -> None:
    """Add the network's tables to a safra whose leads and yearly figures are there."""
    layers = {name: frame for d in deliveries for name, frame in d.layers.items()}
    kinds = {row["id"]: row for row in domains["classe_consumo"].to_dict("records")}
    tables = {
        "curva_carga": _curves(layers),
        "alimentador": _feeders(layers),
        "geracao": _generation(layers, domains),
        "iluminacao_publica": _lamps(layers, domains),
        "transformador": _transformers(layers, domains),
        "subestacao": _areas(layers, "SUB", "subestacao", names=True),
        "area_atuacao": _areas(layers, "ARAT", "area_atuacao"),
        "alimentador_geometria": _lines(layers),
        "balanco_energia": _declared(layers, "BE", ["SUB_GRP", "ORG_ENER"]),
        "perda_nao_tecnica": _declared(layers, "PNT", ["SUB_GRP"]),
        "safra_camada": [
            {"camada": n, "import_id": n, "linhas": len(frame), "presente": True}
            for n, frame in layers.items()
        ],
    }
    units = _units(safra, kinds)
    tables["alimentador_energia"] = _energy(units, tables)
    safra.tables |= {name: [row | safra.key for row in rows] for name, rows in tables.items()}
    marts = {"mart_perda_alimentador": _losses(safra)}
    safra.tables |= {f"marts.{n}": [r | safra.key for r in rows] for n, rows in marts.items()}
    marts = {
        "mart_perda_alimentador_mensal": _monthly_losses(safra),
        "mart_balanco_distribuidora": _balance(safra),
        "mart_transformador": _loading(safra, units),
    }
    safra.tables |= {f"marts.{n}": [r | safra.key for r in rows] for n, rows in marts.items()}


def _rows(layers: dict[str, pd.DataFrame], name: str) -> Rows:
    return layers[name].to_dict("records") if name in layers else []


def _months(row: Row, prefix: str) -> list[float | None]:
    return [number(row.get(f"{prefix}_{m:02d}")) for m in range(1, 13)]


def _added(vectors: Iterable[list[float | None]]) -> list[float | None]:
    return [total(list(month)) for month in zip(*vectors, strict=True)]


def _grouped(rows: Rows, key: Callable[[Row], Any]) -> dict[Any, Rows]:
    groups: dict[Any, Rows] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


# ── Layers ────────────────────────────────────────────────────────────────────────────────────────
def _curves(layers: dict[str, pd.DataFrame]) -> Rows:
    found = {}
    for row in _rows(layers, "CRVCRG"):
        powers = [number(row[f"POT_{k:02d}"]) for k in range(1, 97)]
        name, kind = text(row["COD_ID"]), text(row["TIP_DIA"])
        if name and kind in ("DU", "SA", "DO") and None not in powers and sum(powers) > 0:
            found[name, kind] = {
                "import_id": "CRVCRG",
                "tipo_curva_carga": name,
                "tipo_dia": kind,
                "potencia": powers,
            }
    return list(found.values())


def _feeders(layers: dict[str, pd.DataFrame]) -> Rows:
    rows = [r for r in _rows(layers, "CTMT") if code(r["COD_ID"])]
    return [
        {
            "circuito": code(row["COD_ID"]),
            "nome": text(row["NOME"]),
            "subestacao": code(row["SUB"]),
            "tensao_nominal_id": text(row["TEN_NOM"]),
            "tensao_operacao_pu": number(row["TEN_OPE"]),
            "import_id": "CTMT",
            "energia_injetada": _months(row, "ENE"),
            "perda_nao_tecnica_mt": _months(row, "PNTMT"),
            "perda_nao_tecnica_bt": _months(row, "PNTBT"),
            **{c: total([number(row[f"PERD_{k}"]) for k in ks]) for c, ks in LOSSES.items()},
        }
        for row in rows
    ]


def _place(row: Row, domains: Domains) -> Row:
    conj = number(row["CONJ"])
    town = text(row["MUN"])
    known = town in set(domains["municipio"]["id"])
    return {"municipio_id": town if known else None, "conjunto_id": int(conj) if conj else None}


def _generation(layers: dict[str, pd.DataFrame], domains: Domains) -> Rows:
    found = []
    for layer in ("UGAT", "UGMT", "UGBT"):
        for row in _rows(layers, layer):
            months = _months(row, "ENE")
            if layer == "UGAT":
                months = _added([_months(row, "ENE_P"), _months(row, "ENE_F")])
            found.append(
                {
                    "origem": layer,
                    "import_id": layer,
                    "linha": int(row["linha"]),
                    "cod_id": text(row["COD_ID"]) or f"linha-{row['linha']}",
                    "ceg_gd": text(row["CEG_GD"]),
                    "situacao_uc_id": text(row["SIT_ATIV"]),
                    "data_conexao": day(row["DAT_CON"]),
                    "potencia_instalada_kw": number(row["POT_INST"]),
                    "energia_mes": months,
                    "energia_anual_kwh": total(months),
                    "circuito": code(row["CTAT" if layer == "UGAT" else "CTMT"]),
                    "transformador": code(row["UNI_TR_MT"]) if layer == "UGBT" else None,
                    "subestacao": code(row["SUB"]),
                    "pn_con": code(row["PN_CON"]),
                    **_place(row, domains),
                }
            )
    return found


def _lamps(layers: dict[str, pd.DataFrame], domains: Domains) -> Rows:
    def key(row: Row) -> tuple[str | None, str | None]:
        return code(row["CTMT"]), _place(row, domains)["municipio_id"]

    found = []
    for (feeder, town), rows in _grouped(_rows(layers, "PIP"), key).items():
        months = _added(_months(row, "ENE") for row in rows)
        found.append(
            {
                "circuito": feeder,
                "municipio_id": town,
                "pontos": len(rows),
                "import_id": "PIP",
                "energia_mes": months,
                "energia_anual_kwh": total(months),
            }
        )
    return found


def _transformers(layers: dict[str, pd.DataFrame], domains: Domains) -> Rows:
    powers = {
        r["id"]: r["potencia_kva"] for r in domains["potencia_transformador"].to_dict("records")
    }
    found = {}
    for row in _rows(layers, "UNTRMT"):
        power = row["POT_NOM"]
        power = powers.get(power.strip()) if isinstance(power, str) else power
        x, y = row["POINT_X"], row["POINT_Y"]
        x, y = (x, y) if in_brazil(x, y) else (None, None)
        found[code(row["COD_ID"])] = {
            "transformador": code(row["COD_ID"]),
            "import_id": "UNTRMT",
            "potencia_kva": float(power) if power else None,
            "perda_ferro_w": number(row["PER_FER"]),
            "perda_total_w": number(row["PER_TOT"]),
            "latitude": y,
            "longitude": x,
            "geom": point(x, y),
            "data_conexao": day(row["DAT_CON"]),
            "situacao_uc_id": text(row["SIT_ATIV"]),
            "circuito": code(row["CTMT"]),
            "subestacao": code(row["SUB"]),
            **_place(row, domains),
        }
    return list(found.values())


def _areas(
    layers: dict[str, pd.DataFrame], layer: str, column: str, *, names: bool = False
) -> Rows:
    return [
        {column: code(row["COD_ID"]), "import_id": layer, "geom": shape(row["SHAPE"])}
        | ({"nome": text(row["NOME"])} if names else {})
        for row in _rows(layers, layer)
    ]


def _lines(layers: dict[str, pd.DataFrame]) -> Rows:
    found = []
    for feeder, rows in _grouped(_rows(layers, "SSDMT"), lambda r: code(r["CTMT"])).items():
        lines = [line for row in rows for line in shapely.get_parts(row["SHAPE"])]
        merged = shapely.line_merge(shapely.MultiLineString(lines))
        merged = shapely.MultiLineString(list(shapely.get_parts(merged)))
        length = sum(pyproj.Geod(ellps="GRS80").geometry_length(line) for line in lines)
        found.append(
            {
                "circuito": feeder,
                "import_id": "SSDMT",
                "comprimento_km": length / 1000,
                "geom": shape(merged),
            }
        )
    return found


def _declared(layers: dict[str, pd.DataFrame], layer: str, keys: list[str]) -> Rows:
    columns = {"SUB_GRP": "subgrupo", "ORG_ENER": "origem_energia"}
    found = []
    groups = _grouped(_rows(layers, layer), lambda r: tuple(text(r[k]).upper() for k in keys))
    for key, rows in groups.items():
        months = _added(_months(row, "ENE") for row in rows)
        found.append(
            dict(zip((columns[k] for k in keys), key, strict=True))
            | {"import_id": layer, "energia_mes_mwh": months, "energia_anual_mwh": total(months)}
        )
    return found


# ── Feeders ───────────────────────────────────────────────────────────────────────────────────────
def _units(safra: Safra, kinds: dict[str, Row]) -> Rows:
    """Leads with their months, their year, and whether readers may not see them."""
    year = {r["uc_id"]: r["energia_anual_kwh"] for r in safra.tables["lead_resumo_anual"]}
    series = {r["uc_id"]: r for r in safra.tables["lead_serie"]}
    found = []
    for lead in safra.tables["lead_bruto"]:
        mine = series[lead["uc_id"]]
        posts = [mine[n] for n in ("energia_ponta", "energia_fora_ponta") if mine[n]]
        found.append(
            {
                "layer": lead["origem"],
                "feeder": lead["circuito"],
                "transformer": lead["transformador"],
                "curve": lead["tipo_curva_carga"],
                "person": not legal_person(lead, kinds),
                "months": mine["energia_total"] or _added(posts),
                "kwh": year[lead["uc_id"]],
            }
        )
    return found


def _energy(units: Rows, tables: dict[str, Rows]) -> Rows:
    parts = [(u["layer"], u["feeder"], u["months"], u["kwh"], u["person"], 1) for u in units]
    parts += [
        (g["origem"], g["circuito"], g["energia_mes"], g["energia_anual_kwh"], False, 1)
        for g in tables["geracao"]
    ]
    parts += [
        ("PIP", lamp["circuito"], lamp["energia_mes"], None, False, lamp["pontos"])
        for lamp in tables["iluminacao_publica"]
    ]
    found = []
    for (layer, feeder), rows in _grouped(parts, lambda p: p[:2]).items():
        months = _added(row[2] for row in rows)
        greatest = [row[3] for row in rows if row[3] is not None]
        found.append(
            {
                "origem": layer,
                "circuito": feeder,
                "unidades": sum(row[5] for row in rows),
                "unidades_pf": sum(row[4] for row in rows),
                "energia_mes": months,
                "energia_anual_kwh": total(months),
                "maior_energia_anual_kwh": max(greatest, default=None),
            }
        )
    return found


def present(safra: Safra) -> dict[str, int]:
    return {r["camada"]: r["linhas"] for r in safra.tables["safra_camada"]}


def _of(rows: Rows, *layers: str) -> list[Row]:
    return [r for r in rows if r["origem"] in layers]


def _hidden_feeders(energy: Rows) -> set:
    cells, must = {}, set()
    for feeder, rows in _grouped(_of(energy, "UCMT", "UCBT"), lambda r: r["circuito"]).items():
        fours = [
            (r["unidades"], r["unidades_pf"], r["energia_anual_kwh"], r["maior_energia_anual_kwh"])
            for r in rows
        ]
        n, persons, kwh, most = zip(*fours, strict=True)
        cells[feeder] = (sum(n), sum(persons), sum(kwh), max(most))
        if any(small(*four) for four in fours):
            must.add(feeder)
    return hidden(cells, must)


def _losses(safra: Safra) -> Rows:
    energy, there = safra.tables["alimentador_energia"], present(safra)
    feeders = {r["circuito"]: r for r in safra.tables["alimentador"]}
    by_feeder = _grouped(energy, lambda r: r["circuito"])
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
    by_feeder = _grouped(safra.tables["alimentador_energia"], lambda r: r["circuito"])
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
            return [v or 0.0 for v in _added(vectors)] if vectors else [0.0] * 12

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
            units = [r for r in rows if r["origem"] != "PIP"]
            most = [r["maior_energia_anual_kwh"] for r in units]
            cells[item] = (
                sum(r["unidades"] for r in units),
                sum(r["unidades_pf"] for r in units),
                summed,
                max((m for m in most if m is not None), default=0.0),
            )
            if small(*cells[item]):
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
    of = _grouped([u for u in units if u["transformer"]], lambda u: u["transformer"])
    cells: dict[str, dict[str, tuple]] = {}
    for t in safra.tables["transformador"]:
        if mine := of.get(t["transformador"]):
            kwh = [u["kwh"] for u in mine]
            four = (len(mine), sum(u["person"] for u in mine), total(kwh), max(kwh))
            cells.setdefault(t["circuito"] or "", {})[t["transformador"]] = four
    gone = set()
    for part in cells.values():
        gone |= hidden(part, {k for k, four in part.items() if small(*four)})
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
