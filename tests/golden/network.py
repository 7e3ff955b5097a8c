"""What the network's layers must become: feeders, generation, lamps, transformers.

Belongs here: the tables of models/intel_lead/rede, of one safra, by pandas and numpy. Not
here: reading (layers.py), units and their months (expected.py), losses (losses.py).
The rules are those of docs/divergences.md and of the columns' descriptions.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyproj
import shapely

from tests.golden.expected import Domains, Rows, Safra, point, total
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
    units = units_of(safra, kinds)
    tables["alimentador_energia"] = _energy(units, tables)
    safra.tables |= {name: [row | safra.key for row in rows] for name, rows in tables.items()}


def _rows(layers: dict[str, pd.DataFrame], name: str) -> Rows:
    return layers[name].to_dict("records") if name in layers else []


def _months(row: Row, prefix: str) -> list[float | None]:
    return [number(row.get(f"{prefix}_{m:02d}")) for m in range(1, 13)]


def added(vectors: Iterable[list[float | None]]) -> list[float | None]:
    return [total(list(month)) for month in zip(*vectors, strict=True)]


def by_key(rows: Rows, key: Callable[[Row], Any]) -> dict[Any, Rows]:
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
                months = added([_months(row, "ENE_P"), _months(row, "ENE_F")])
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
    for (feeder, town), rows in by_key(_rows(layers, "PIP"), key).items():
        months = added(_months(row, "ENE") for row in rows)
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


def merged_lines(deliveries: list[Delivery]) -> dict[str, shapely.MultiLineString]:
    """Feeder → its line, pieces that meet made one."""
    layers = {name: frame for d in deliveries for name, frame in d.layers.items()}
    return {feeder: _merged(lines) for feeder, lines in _pieces(layers).items()}


def _pieces(layers: dict[str, pd.DataFrame]) -> dict[str, list[shapely.LineString]]:
    found = by_key(_rows(layers, "SSDMT"), lambda r: code(r["CTMT"]))
    return {
        feeder: [line for row in rows for line in shapely.get_parts(row["SHAPE"])]
        for feeder, rows in found.items()
    }


def _merged(lines: list[shapely.LineString]) -> shapely.MultiLineString:
    merged = shapely.line_merge(shapely.MultiLineString(lines))
    return shapely.MultiLineString(list(shapely.get_parts(merged)))


def _lines(layers: dict[str, pd.DataFrame]) -> Rows:
    found = []
    for feeder, lines in _pieces(layers).items():
        length = sum(pyproj.Geod(ellps="GRS80").geometry_length(line) for line in lines)
        found.append(
            {
                "circuito": feeder,
                "import_id": "SSDMT",
                "comprimento_km": length / 1000,
                "geom": shape(_merged(lines)),
            }
        )
    return found


def _declared(layers: dict[str, pd.DataFrame], layer: str, keys: list[str]) -> Rows:
    columns = {"SUB_GRP": "subgrupo", "ORG_ENER": "origem_energia"}
    found = []
    groups = by_key(_rows(layers, layer), lambda r: tuple(text(r[k]).upper() for k in keys))
    for key, rows in groups.items():
        months = added(_months(row, "ENE") for row in rows)
        found.append(
            dict(zip((columns[k] for k in keys), key, strict=True))
            | {"import_id": layer, "energia_mes_mwh": months, "energia_anual_mwh": total(months)}
        )
    return found


# ── Feeders ───────────────────────────────────────────────────────────────────────────────────────
def units_of(safra: Safra, kinds: dict[str, Row]) -> Rows:
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
                "months": mine["energia_total"] or added(posts),
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
    for (layer, feeder), rows in by_key(parts, lambda p: p[:2]).items():
        months = added(row[2] for row in rows)
        told = [row for row in rows if row[3] is not None]
        found.append(
            {
                "origem": layer,
                "circuito": feeder,
                "unidades": sum(row[5] for row in rows),
                "unidades_pf": sum(row[4] for row in rows),
                "energia_mes": months,
                "energia_anual_kwh": total(months),
                "maior_energia_anual_kwh": max((row[3] for row in told), default=None),
                "energia_pf_kwh": total([row[3] for row in told if row[4]]),
                "maior_energia_pf_kwh": max((row[3] for row in told if row[4]), default=None),
            }
        )
    return found
