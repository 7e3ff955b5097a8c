"""What the warehouse must hold after deliveries were landed and built, worked out in pandas.

Belongs here: leads, months, history, exceptions, points of one delivery or of several files of a
safra. Not here: reading (layers.py), sums and views (rollups.py), sensors (readings.py).
The rules are those of DESIGN §6, docs/divergences.md and the columns' descriptions.
"""

import hashlib
import math
import struct
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from tests.golden.layers import (
    MONTHS,
    UC_LAYERS,
    Delivery,
    cep,
    cnae,
    code,
    day,
    in_brazil,
    number,
    shape,
    text,
)

Row = dict[str, Any]
Rows = list[Row]
Domains = dict[str, pd.DataFrame]

# BDGD's field → the lead's column and the domain that must have the code.
CODES = {
    "MUN": ("municipio_id", "municipio"),
    "CNAE": ("cnae_id", "cnae"),
    "GRU_TEN": ("grupo_tensao_id", "grupo_tensao"),
    "GRU_TAR": ("subgrupo_tarifario_id", "subgrupo_tarifario"),
    "TIP_SIST": ("tipo_sistema_id", "tipo_sistema"),
    "SIT_ATIV": ("situacao_uc_id", "situacao_uc"),
    "CLAS_SUB": ("classe_consumo_id", "classe_consumo"),
    "FAS_CON": ("fase_conexao_id", "fase_conexao"),
    "TEN_FORN": ("tensao_fornecimento_id", "tensao_fornecimento"),
    "ARE_LOC": ("area_localizacao", "area_localizacao"),
}
SERIES = {
    "energia_total": "ENE", "energia_ponta": "ENE_P", "energia_fora_ponta": "ENE_F",
    "demanda_total": "DEM", "demanda_ponta": "DEM_P", "demanda_fora_ponta": "DEM_F",
    "dic": "DIC", "fic": "FIC",
}  # fmt: skip


TABLES = (  # noqa: SIM905
    "lead_bruto lead_historico lead_serie lead_energia_mensal lead_demanda_mensal"
    " lead_qualidade_mensal qualidade_excecao carga_resumo conjunto ponto_notavel"
).split()


@dataclass
class Safra:
    """One vintage's rows, table name → rows."""

    utility: int
    year: int
    tables: dict[str, Rows] = field(default_factory=dict)

    @property
    def key(self) -> dict[str, int]:
        """Its two columns."""
        return {"ano": self.year, "distribuidora_id": self.utility}


def uc_id(layer: str, cod_id: str, year: int, utility: int) -> str:
    """UUIDv8: year and distributor in clear (16 bits each), then 88 bits of md5(layer:COD_ID)."""
    octets = bytearray(hashlib.md5(f"{layer}:{cod_id}".encode()).digest())
    octets[:4] = struct.pack(">HH", year, utility)
    octets[6] = 0x80 | octets[6] & 0x0F
    # The variant takes the whole digit: 8.
    octets[8] = 0x80 | octets[8] & 0x0F
    return str(uuid.UUID(bytes=bytes(octets)))


def point(x: float | None, y: float | None) -> str | None:
    """A point in SIRGAS 2000, as compare.py reads one back."""
    return None if x is None or y is None else f"4674 {x!r} {y!r}"


def total(values: list[float | None]) -> float | None:
    """Sum of what is there; None if nothing is."""
    there = [v for v in values if v is not None]
    return math.fsum(there) if there else None


def mean(values: list[float | None]) -> float | None:
    """Mean of what is there."""
    there = [v for v in values if v is not None]
    return math.fsum(there) / len(there) if there else None


def greatest(values: list[float | None]) -> float | None:
    """The greatest of what is there."""
    return max((v for v in values if v is not None), default=None)


def first(*values: Any) -> Any:  # noqa: ANN401
    """The first that is there."""
    return next((v for v in values if v is not None), None)


def grouped(rows: Rows, *columns: str) -> dict[tuple, Rows]:
    """By these columns' values."""
    groups: dict[tuple, Rows] = defaultdict(list)
    for row in rows:
        groups[tuple(row[c] for c in columns)].append(row)
    return groups


def month_energy(whole: float | None, peak: float | None, off: float | None) -> float | None:
    """A month's energy: the one reading, or both tariff posts, or the one that is there."""
    return whole if whole is not None else total([peak, off])


# ── Units ─────────────────────────────────────────────────────────────────────────────────────────
def _units(frame: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """COD_ID → the unit's rows as dicts, in the file's order."""
    units: dict[str, list[dict[str, Any]]] = {}
    for row in frame.to_dict("records"):
        units.setdefault(text(row["COD_ID"]), []).append(row)
    return units


def _current(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The row that holds: active before any other, a row that says nothing last; then the last."""
    rank = {"AT": 2, None: 0}
    return max(rows, key=lambda r: (rank.get(text(r["SIT_ATIV"]), 1), r["linha"]))


def _monthly(row: dict[str, Any], prefix: str) -> list[float | None] | None:
    if f"{prefix}_01" not in row:
        return None
    return [number(row[f"{prefix}_{m:02d}"]) for m in MONTHS]


def _merged(rows: list[dict[str, Any]], name: str, layer: str) -> list[float | None] | None:
    """A series over the rows of a unit: demand's greatest, everything else summed."""
    layer_has = {
        "UCAT": {"energia_ponta", "energia_fora_ponta", "demanda_ponta", "demanda_fora_ponta"},
        "UCMT": {"energia_total", "demanda_total"},
        "UCBT": {"energia_total"},
    }[layer] | {"dic", "fic"}
    if name not in layer_has:
        return None
    parts = [_monthly(row, SERIES[name]) or [None] * 12 for row in rows]
    join = greatest if name.startswith("demanda") else total
    joined = [join(list(month)) for month in zip(*parts, strict=True)]
    if name in ("dic", "fic") and all(v is None for v in joined):
        return None
    return joined


def _lead(
    layer: str, safra: Safra, cod_id: str, rows: list[dict[str, Any]], known: dict[str, set]
) -> dict[str, Any]:
    row = _current(rows)
    x, y = number(row.get("POINT_X")), number(row.get("POINT_Y"))
    own = x is not None and y is not None and in_brazil(x, y)
    cleaned = {f: cnae(row[f]) if f == "CNAE" else text(row.get(f)) for f in CODES}
    valid = {CODES[f][0]: v if v in known[CODES[f][1]] else None for f, v in cleaned.items()}
    conj = number(row["CONJ"])
    return {
        "uc_id": uc_id(layer, cod_id, safra.year, safra.utility),
        "cod_id": cod_id,
        "chave_origem": "cod_id",
        "origem": layer,
        "linha": int(row["linha"]),
        "import_id": layer,
        "status": "raw",
        "created_at": "~datetime",
        "updated_at": "~datetime",
        "data_conexao": day(row["DAT_CON"]),
        "bairro": None if text(row["BRR"]) == "NA" else text(row["BRR"]),
        "cep": cep(row["CEP"]),
        "conjunto_id": int(conj) if conj else None,
        "subestacao": code(row["SUB"]),
        "circuito": code(row["CTAT" if layer == "UCAT" else "CTMT"]),
        "transformador": code(row["UNI_TR_MT"]) if layer == "UCBT" else None,
        "pn_con": code(row["PN_CON"]),
        "ponto_acoplamento": code(row["PAC"]),
        "tipo_curva_carga": text(row["TIP_CC"]),
        "pac": None if layer == "UCBT" else number(row.get("DEM_CONT")),
        "carga_instalada_kw": number(row["CAR_INST"]),
        "livre": _flag(row["LIV"]),
        "sem_rede": None if layer == "UCAT" else _flag(row["SEMRED"]),
        "ceg_gd": text(row["CEG_GD"]),
        "possui_geracao": text(row["CEG_GD"]) is not None,
        "latitude": y if own else None,
        "longitude": x if own else None,
        "dic_anual": total([number(r.get("DIC")) for r in rows]),
        "fic_anual": total([number(r.get("FIC")) for r in rows]),
        **valid,
        **safra.key,
    }


def _flag(value: object) -> bool | None:
    return None if number(value) is None else number(value) == 1


def _superseded(layer: str, safra: Safra, cod_id: str, row: dict[str, Any]) -> dict[str, Any]:
    has = {n: _monthly(row, SERIES[n]) for n in SERIES if n.startswith("energia")}
    energy = [
        month_energy(*(has[n][m] if has[n] else None for n in has if n.startswith("energia")))
        for m in range(12)
    ]
    return {
        "uc_id": uc_id(layer, cod_id, safra.year, safra.utility),
        "linha": int(row["linha"]),
        "import_id": layer,
        "energia_anual_kwh": total(energy),
        "livre": _flag(row["LIV"]),
        "meses_com_energia": [m for m, v in enumerate(energy, 1) if v],
        "carga_instalada_kw": number(row["CAR_INST"]),
        "pac": None if layer == "UCBT" else number(row.get("DEM_CONT")),
        "data_conexao": day(row["DAT_CON"]),
        "origem": layer,
        "cod_id": cod_id,
        "situacao_uc": text(row["SIT_ATIV"]),
        "classe_consumo": text(row["CLAS_SUB"]),
        "subgrupo_tarifario": text(row["GRU_TAR"]),
        "tensao_fornecimento": text(row["TEN_FORN"]),
        "cnae": cnae(row["CNAE"]),
        **safra.key,
    }


def _exceptions(layer: str, safra: Safra, frame: pd.DataFrame, known: dict[str, set]) -> Rows:
    """Codes that no domain documents, and dates that are none, with the rows that have them."""
    found: Counter[tuple[str, str]] = Counter()
    for row in frame.to_dict("records"):
        for name, (_, domain) in CODES.items():
            value = cnae(row[name]) if name == "CNAE" else text(row.get(name))
            if value is not None and value not in known[f"{domain} documented"]:
                found[name, value] += 1
        written = text(row["DAT_CON"])
        if written is not None and day(written) is None:
            found["DAT_CON", written] += 1
    return [
        {"camada": layer, "coluna": column, "valor": value, "linhas": n} | safra.key
        for (column, value), n in found.items()
    ]


def safra_of(deliveries: list[Delivery], domains: Domains) -> Safra:
    """The rows of all tables that hold units, months and points of one safra."""
    safra = Safra(deliveries[0].utility, deliveries[0].year)
    layers = {name: frame for d in deliveries for name, frame in d.layers.items()}
    known = {name: set(frame["id"]) for name, frame in domains.items()}
    known |= {f"{name} documented": ids for name, ids in known.items()}
    systems = domains["tipo_sistema"]
    known["tipo_sistema documented"] = set(systems[systems["documentado"] == "true"]["id"])
    tables = {name: [] for name in TABLES}
    for layer in UC_LAYERS:
        frame = layers.get(layer)
        if frame is None or frame.empty:
            continue
        for cod_id, rows in _units(frame).items():
            lead = _lead(layer, safra, cod_id, rows, known)
            tables["lead_bruto"].append(lead)
            for row in rows:
                if row["linha"] != lead["linha"]:
                    tables["lead_historico"].append(_superseded(layer, safra, cod_id, row))
            series = {name: _merged(rows, name, layer) for name in SERIES}
            _open(tables, safra, lead, series)
        tables["qualidade_excecao"] += _exceptions(layer, safra, frame, known)
        tables["carga_resumo"] += _landed(layer, safra, frame)
    _describe(tables["lead_bruto"], domains)
    if "CONJ" in layers:
        tables["conjunto"] = _unit_sets(safra, layers["CONJ"])
        tables["ponto_notavel"] = _points(safra, layers["PONNOT"], tables["lead_bruto"], domains)
    safra.tables = tables
    return safra


def _describe(leads: Rows, domains: Domains) -> None:
    """Segment by CNAE; modality where the tariff subgroup settles it."""
    segment = dict(domains["cnae"][["id", "segmento_mercado_id"]].itertuples(index=False))
    subgroup = domains["subgrupo_tarifario"]
    modality = dict(subgroup[["id", "modalidade_tarifaria_id"]].itertuples(index=False))
    for lead in leads:
        lead["segmento_mercado_id"] = segment.get(lead["cnae_id"])
        lead["modalidade_tarifaria_id"] = modality.get(lead["subgrupo_tarifario_id"])


def _open(tables: dict[str, Rows], safra: Safra, lead: dict[str, Any], series: dict) -> None:
    """A unit's series, and the monthly tables that they open into."""
    key = {"uc_id": lead["uc_id"], "origem": lead["origem"]} | safra.key
    tables["lead_serie"].append(key | series)
    month = {name: (values or [None] * 12) for name, values in series.items()}
    for m in MONTHS:
        at = {name: values[m - 1] for name, values in month.items()}
        whole, peak, off = (at[n] for n in SERIES if n.startswith("energia"))
        tables["lead_energia_mensal"].append(
            key
            | {
                "mes": m,
                "energia_total": month_energy(whole, peak, off),
                "energia_ponta": peak,
                "energia_fora_ponta": off,
            }
        )
        if lead["origem"] != "UCBT":
            posts = [at["demanda_ponta"], at["demanda_fora_ponta"]]
            tables["lead_demanda_mensal"].append(
                key
                | {
                    "mes": m,
                    "demanda_total": first(at["demanda_total"], greatest(posts)),
                    "demanda_ponta": at["demanda_ponta"],
                    "demanda_fora_ponta": at["demanda_fora_ponta"],
                    "demanda_contratada": lead["pac"],
                }
            )
        if series["dic"] or series["fic"]:
            tables["lead_qualidade_mensal"].append(
                key | {"mes": m, "dic": at["dic"], "fic": at["fic"]}
            )


def _landed(layer: str, safra: Safra, frame: pd.DataFrame) -> Rows:
    """What the file itself says, per month."""

    def column_sum(prefix: str, m: int) -> float | None:
        name = f"{prefix}_{m:02d}"
        return total([number(v) for v in frame[name]]) if name in frame else None

    return [
        {
            "origem": layer,
            "mes": m,
            "linhas": len(frame),
            "energia_kwh": month_energy(*(column_sum(p, m) for p in ("ENE", "ENE_P", "ENE_F"))),
        }
        | safra.key
        for m in MONTHS
    ]


# ── Places ────────────────────────────────────────────────────────────────────────────────────────
def _unit_sets(safra: Safra, frame: pd.DataFrame) -> Rows:
    return [
        {
            "conjunto_id": int(row["COD_ID"]),
            "nome": text(row["NOME"]),
            "geom": shape(row["SHAPE"]),
        }
        | safra.key
        for row in frame.to_dict("records")
    ]


def _points(safra: Safra, frame: pd.DataFrame, leads: Rows, domains: Domains) -> Rows:
    """Poles; the CEP is the commonest of the units on it, the smaller one of two as common."""
    ceps: dict[str, Counter[str]] = {}
    for lead in leads:
        if lead["pn_con"] and lead["cep"]:
            ceps.setdefault(lead["pn_con"], Counter())[lead["cep"]] += 1
    kinds = dict(domains["tipo_ponto_notavel"][["id", "descricao"]].itertuples(index=False))
    towns = set(domains["municipio"]["id"])
    points = {}
    for row in frame.to_dict("records"):
        cod_id, x, y = text(row["COD_ID"]), row["POINT_X"], row["POINT_Y"]
        if not in_brazil(x, y):  # a place that is none: the row is kept in raw, and places nobody
            continue
        kind = text(row["TIP_PN"]) if text(row["TIP_PN"]) in kinds else None
        common = ceps.get(cod_id, Counter())
        name = "|".join([cod_id, _shortest(x), _shortest(y), str(safra.year), str(safra.utility)])
        conj = number(row["CONJ"])
        points[cod_id] = {
            "pn_id": str(uuid.UUID(hashlib.md5(name.encode()).hexdigest())),
            "cod_id": cod_id,
            "latitude": y,
            "longitude": x,
            "geom": point(x, y),
            "import_id": "PONNOT",
            "municipio_id": text(row["MUN"]) if text(row["MUN"]) in towns else None,
            "conjunto_id": int(conj) if conj else None,
            "nome": " ".join(filter(None, [kinds.get(kind), cod_id])),
            "tipo_ponto_notavel_id": kind,
            "cep": min(common, key=lambda c: (-common[c], c)) if common else None,
            **safra.key,
        }
    return list(points.values())


def _shortest(value: float) -> str:
    """A double as PostgreSQL writes it: the fewest digits that read back."""
    return repr(float(value)).removesuffix(".0")
