"""Sums over a safra's units by dimension, and the rollups that readers see of them.

Belongs here: safra_celula and its kin, series that are forecast, marts.resumo_*, unit by unit.
Not here: which cells are hidden (hiding.py), scores (scores.py), intel_lead's older rollups.
"""

from collections import defaultdict
from collections.abc import Callable

import shapely

from tests.golden.curves import index
from tests.golden.expected import Domains, Row, Rows, Safra, greatest, grouped, point, total
from tests.golden.hiding import Cell, along, cell_of, small
from tests.golden.layers import shape
from tests.golden.market import medians, segment_of, segments_of_classes
from tests.golden.readers import legal_person
from tests.golden.rollups import possible
from tests.golden.scores import OFFERS

DIMENSIONS = {
    "municipio": ("municipio_id",),
    "bairro": ("municipio_id", "bairro"),
    "conjunto": ("conjunto_id",),
    "segmento": ("segmento_mercado_id",),
    "subgrupo": ("subgrupo_tarifario_id",),
    "classe": ("classe_consumo_id",),
}
KEYS = list(dict.fromkeys(c for columns in DIMENSIONS.values() for c in columns))


def units_of(safra: Safra, domains: Domains, regulator: Rows) -> Rows:
    """Every unit with what counts in a cell."""
    kinds, of_class = index(domains, "classe_consumo"), segments_of_classes()
    year = {row["uc_id"]: row for row in safra.tables["lead_resumo_anual"]}
    profile = {row["uc_id"]: row for row in safra.tables["lead_perfil"]}
    place = {row["uc_id"]: row for row in safra.tables["lead_com_coordenadas"]}
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    for row in safra.tables["marts.mart_lead_score"]:
        scores[row["uc_id"]][row["oferta"]] = row["score"]
    market = {r["uc_id"]: r["segmento_mercado_id"] for r in safra.tables["lead_mercado"]}
    sets, told, found = medians(safra), _of_regulator(safra, regulator), []
    for lead in safra.tables["lead_bruto"]:
        uc = lead["uc_id"]
        dic, fic = (year[uc][c] for c in ("dic_anual_h", "fic_anual"))
        at = place[uc]
        found.append(
            {c: lead[c] for c in (*KEYS, "origem", "ano", "distribuidora_id", "pac")}
            | {
                # A sure company may have given it.
                "segmento_mercado_id": market.get(uc, segment_of(lead, of_class)),
                "classe": kinds.get(lead["classe_consumo_id"], {}).get("grupo") or "não informado",
                "person": not legal_person(lead, kinds),
                "load": lead["carga_instalada_kw"],
                "free": lead["livre"] is True,
                "plant": lead["possui_geracao"],
                "kwh": year[uc]["energia_anual_kwh"],
                "posts": [year[uc][f"energia_{p}_anual_kwh"] for p in ("ponta", "fora_ponta")],
                "peak": profile[uc]["energia_ponta_kwh"],
                "months": profile[uc]["energia_mes"],
                "peak_months": profile[uc]["energia_ponta_mes"],
                "dic": possible(dic, safra.year),
                "fic": possible(fic, safra.year),
                "dic_said": dic is not None,
                "fic_said": fic is not None,
                "medians": sets.get(lead["conjunto_id"], (None, None)),
                **told.get(lead["conjunto_id"], dict.fromkeys(("dec_fec", "limits"))),
                "enriched": year[uc]["enriquecimento_status"] == "success",
                "scores": scores[uc],
                "point": (at["longitude_final"], at["latitude_final"])
                if at["origem_coordenada"] in ("uc", "ponto_notavel")
                else None,
            }
        )
    return found


def _of_regulator(safra: Safra, regulator: Rows) -> dict[object, Row]:
    """Conjunto → DEC and FEC of its whole year, and both limits, where open data say them."""
    found = {}
    for row in regulator:
        if (row["distribuidora_id"], row["ano"]) != (safra.utility, safra.year):
            continue
        limits = (row["dec_limite_h"], row["fec_limite"])
        found[row["conjunto_id"]] = {
            "dec_fec": (row["dec_h"], row["fec"]) if row["meses"] == 12 else None,
            "limits": None if None in limits else limits,
        }
    return found


def finish(safra: Safra, domains: Domains, regulator: Rows) -> Rows:
    """Add the safra's cells, with DEC, FEC and limits of ``regulator``; return its units."""
    units = units_of(safra, domains, regulator)
    cells, scores = [], []
    for dimension, columns in DIMENSIONS.items():
        empty = dict.fromkeys(KEYS) | {"dimensao": dimension}
        for (layer, *key), group in grouped(units, "origem", *columns).items():
            named = empty | {"origem": layer} | dict(zip(columns, key, strict=True))
            hull = _hull(group) if dimension == "bairro" else None
            cells.append(named | _sums(group) | {"geom": drawn(hull)})
        for key, group in grouped(units, *columns).items():
            named = empty | dict(zip(columns, key, strict=True))
            for offer in OFFERS:
                told = [u["scores"][offer] for u in group if offer in u["scores"]]
                if told:
                    scores.append(
                        named | {"oferta": offer, "leads": len(told), "soma_score": sum(told)}
                    )
    tables = {
        "safra_celula": cells,
        "safra_celula_oferta": scores,
        "safra_classe_mes": _class_months(units),
        "safra_serie": _series(safra, units),
    }
    safra.tables |= {name: [row | safra.key for row in rows] for name, rows in tables.items()}
    return units


def _sums(group: Rows) -> Row:
    def summed(column: str, of: Rows = group) -> float | None:
        return total([u[column] for u in of])

    dics = [u["dic"] for u in group if u["dic"] is not None]
    fics = [u["fic"] for u in group if u["fic"] is not None]
    with_median = [u["medians"] for u in group if u["medians"][0] is not None]
    return {
        "quantidade_leads": len(group),
        "leads_pf": sum(u["person"] for u in group),
        "energia_anual_kwh": summed("kwh"),
        "maior_energia_anual_kwh": greatest([u["kwh"] for u in group]),
        "energia_pf_kwh": summed("kwh", [u for u in group if u["person"]]),
        "maior_energia_pf_kwh": greatest([u["kwh"] for u in group if u["person"]]),
        "energia_ponta_anual_kwh": total([u["posts"][0] for u in group]),
        "energia_fora_ponta_anual_kwh": total([u["posts"][1] for u in group]),
        "energia_ponta_kwh": summed("peak"),
        "energia_livre_kwh": summed("kwh", [u for u in group if u["free"]]),
        "demanda_contratada_kw": summed("pac"),
        "carga_instalada_kw": summed("load"),
        "dic_anual_h": total(dics),
        "fic_anual": total(fics),
        "leads_com_dic": len(dics),
        "leads_com_fic": len(fics),
        "leads_dic_impossivel": sum(u["dic_said"] for u in group) - len(dics),
        "leads_fic_impossivel": sum(u["fic_said"] for u in group) - len(fics),
        "soma_dic_mediana_h": total([m[0] for m in with_median]),
        "soma_fic_mediana": total([m[1] for m in with_median]),
        "leads_com_mediana": len(with_median),
        "soma_dec_h": total([u["dec_fec"][0] for u in group if u["dec_fec"]]),
        "soma_fec": total([u["dec_fec"][1] for u in group if u["dec_fec"]]),
        "leads_com_dec": sum(u["dec_fec"] is not None for u in group),
        "soma_dec_limite_h": total([u["limits"][0] for u in group if u["limits"]]),
        "soma_fec_limite": total([u["limits"][1] for u in group if u["limits"]]),
        "leads_com_limite": sum(u["limits"] is not None for u in group),
        "leads_livres": sum(u["free"] for u in group),
        "leads_com_geracao": sum(u["plant"] for u in group),
        "leads_enriquecidos": sum(u["enriched"] for u in group),
    }


def _hull(group: Rows) -> shapely.Geometry | None:
    points = [u["point"] for u in group if u["point"]]
    return shapely.convex_hull(shapely.MultiPoint(points)) if points else None


def drawn(geometry: shapely.Geometry | None) -> str | None:
    """As compare.py reads one back."""
    if isinstance(geometry, shapely.Point):
        return point(geometry.x, geometry.y)
    return shape(geometry)


def _class_months(units: Rows) -> Rows:
    found = []
    for (layer, kind), group in grouped(units, "origem", "classe_consumo_id").items():
        for m in range(12):
            there = [u for u in group if u["months"][m] is not None]
            if there:
                found.append(
                    {
                        "origem": layer,
                        "classe_consumo_id": kind,
                        "mes": m + 1,
                        "unidades": len(there),
                        "unidades_pf": sum(u["person"] for u in there),
                        "unidades_com_geracao": sum(u["plant"] for u in there),
                        "energia_kwh": total([u["months"][m] for u in there]),
                        "maior_energia_kwh": greatest([u["months"][m] for u in there]),
                        "energia_pf_kwh": total([u["months"][m] for u in there if u["person"]]),
                        "maior_energia_pf_kwh": greatest(
                            [u["months"][m] for u in there if u["person"]]
                        ),
                        "energia_ponta_kwh": total([u["peak_months"][m] for u in there]),
                    }
                )
    return found


# ── Series that are forecast ──────────────────────────────────────────────────────────────────────
def _in_months(group: Rows) -> dict[int, Cell]:
    """Month → its cell, the year as month 0; months that no unit has are none."""
    cells = {0: cell_of((u["person"], u["kwh"]) for u in group)}
    for m in range(12):
        there = [(u["person"], u["months"][m]) for u in group if u["months"][m] is not None]
        if there:
            cells[m + 1] = cell_of(there)
    return cells


def _series(safra: Safra, units: Rows) -> Rows:
    def named(value: object) -> str:
        return "não informado" if value is None else str(value)

    groups: dict[tuple[str, str], Rows] = defaultdict(list)
    town: dict[tuple[str, str], object] = {}
    for unit in units:
        of_class = f"{named(unit['municipio_id'])}|{unit['classe']}"
        town["municipio_classe", of_class] = unit["municipio_id"]
        for key in (
            ("distribuidora", str(safra.utility)),
            ("municipio_classe", of_class),
            ("conjunto", named(unit["conjunto_id"])),
            ("segmento", named(unit["segmento_mercado_id"])),
        ):
            groups[key].append(unit)
    gone = _hidden_series(groups, units, town)
    return [
        {
            "nivel": level,
            "serie_id": name,
            "quantidade_leads": len(group),
            "leads_pf": sum(u["person"] for u in group),
            "suprimido": (level, name) in gone,
            "energia_mes": [total([u["months"][m] for u in group]) for m in range(12)],
        }
        for (level, name), group in groups.items()
    ]


def _hidden_series(groups: dict, units: Rows, town: dict) -> set:
    """What is hidden of one month is hidden of all; a hidden município's classes with persons."""
    by_month: dict[int, dict[tuple, Cell]] = defaultdict(dict)
    for key, group in groups.items():
        for m, cell in _in_months(group).items():
            by_month[m][key] = cell
    towns: dict[int, dict[object, Cell]] = defaultdict(dict)
    for (code,), group in grouped(units, "municipio_id").items():
        for m, cell in _in_months(group).items():
            towns[m][code] = cell
    gone_towns = set()
    for cells in towns.values():
        gone_towns |= along(cells, [lambda _: "distributor"])
    gone = set()
    for cells in by_month.values():
        areas = {k: c for k, c in cells.items() if k[0] != "municipio_classe"}
        gone |= along(areas, [lambda key: key[0]])
        classes = {k: c for k, c in cells.items() if k[0] == "municipio_classe"}
        must = {k for k, c in classes.items() if small(c) or (c.persons and town[k] in gone_towns)}
        totals = [lambda k: town[k], lambda k: k[1].split("|")[1], lambda _: "distributor"]
        gone |= along(classes, totals, must=must)
    return gone


# ── Rollups that readers see ──────────────────────────────────────────────────────────────────────
def measures(group: Rows) -> Row:
    """What a rollup says of these units."""
    sums = _sums(group)
    n, energy = len(group), sums["energia_anual_kwh"]

    def share(value: float | None, of: float | None) -> float | None:
        return None if value is None or not of else 100 * value / of

    def mean(value: float | None, of: int) -> float | None:
        return None if value is None or not of else value / of

    told = {o: [u["scores"][o] for u in group if o in u["scores"]] for o in OFFERS}
    same = "energia_anual_kwh energia_ponta_kwh demanda_contratada_kw leads_dic_impossivel"
    same += " leads_fic_impossivel leads_livres leads_com_geracao quantidade_leads"
    return {c: sums[c] for c in same.split()} | {
        "participacao_ponta_pct": share(sums["energia_ponta_kwh"], energy),
        "media_dic_anual_h": mean(sums["dic_anual_h"], sums["leads_com_dic"]),
        "media_fic_anual": mean(sums["fic_anual"], sums["leads_com_fic"]),
        "dic_mediana_conjunto_h": mean(sums["soma_dic_mediana_h"], sums["leads_com_mediana"]),
        "fic_mediana_conjunto": mean(sums["soma_fic_mediana"], sums["leads_com_mediana"]),
        "dec_h": mean(sums["soma_dec_h"], sums["leads_com_dec"]),
        "fec": mean(sums["soma_fec"], sums["leads_com_dec"]),
        "dec_limite_h": mean(sums["soma_dec_limite_h"], sums["leads_com_limite"]),
        "fec_limite": mean(sums["soma_fec_limite"], sums["leads_com_limite"]),
        "livre_pct": share(sums["leads_livres"], n),
        "energia_livre_pct": share(sums["energia_livre_kwh"], energy),
        "gd_pct": share(sums["leads_com_geracao"], n),
        **{f"score_{o}": float(sum(s) / len(s)) if s else None for o, s in told.items()},
    }


_SAFRA = ("ano", "distribuidora_id")


def _shown(row: Row, *, hide: bool) -> Row:
    return {c: None if hide else v for c, v in row.items()}


def _of_safra(key: tuple) -> object:
    return key[:2]


def rollups(units: Rows, whole: dict[str, Rows], domains: Domains) -> dict[str, Rows]:
    """marts.resumo_* over all safras, but those whose hidden cells readers.py works out."""
    sets = {
        (r["ano"], r["distribuidora_id"], r["conjunto_id"]): r["nome"] for r in whole["conjunto"]
    }
    towns = {int(k): row for k, row in index(domains, "municipio").items()}
    kinds, segments, subgroups = (
        index(domains, name)
        for name in ("classe_consumo", "segmento_mercado", "subgrupo_tarifario")
    )

    def of(table: dict, value: object, column: str) -> object:
        return table.get(value, {}).get(column)

    names: dict[str, Callable[[tuple], Row]] = {
        "bairro": lambda key: {
            "municipio": of(towns, key[2] and int(key[2]), "nome"),
            "uf": of(towns, key[2] and int(key[2]), "uf"),
        },
        "conjunto": lambda key: {"conjunto": sets.get(key)},
        "segmento": lambda key: {"segmento_mercado": of(segments, key[2], "descricao")},
        "subgrupo": lambda key: {"subgrupo_tarifario": of(subgroups, key[2], "descricao")},
        "classe": lambda key: {
            "classe_consumo": of(kinds, key[2], "descricao"),
            "classe": of(kinds, key[2], "grupo"),
        },
    }
    utilities = index(domains, "distribuidora")
    made = {}
    for dimension, more in names.items():
        columns = (*_SAFRA, *DIMENSIONS[dimension])
        groups = grouped(units, *columns)
        cells = {k: cell_of((u["person"], u["kwh"]) for u in g) for k, g in groups.items()}
        towns_first = [lambda key: key[:3]] if dimension == "bairro" else []
        gone = along(cells, [*towns_first, _of_safra])
        rows = []
        for key, group in groups.items():
            said = measures(group)
            if dimension == "bairro":
                hull = _hull(group)
                said["geom"] = shape(hull) if isinstance(hull, shapely.Polygon) else None
            rows.append(
                dict(zip(columns, key, strict=True))
                | more(key)
                | {"distribuidora": utilities[str(key[1])]["nome"], "suprimido": key in gone}
                | _shown(said, hide=key in gone)
            )
        made[f"marts.resumo_{dimension}"] = rows
    made["marts.resumo_classe_mes"] = _months_of_classes(units, kinds, utilities)
    return made


def measured(made: dict[str, Rows], units: Rows, domains: Domains) -> None:
    """Add to the rollups of readers.py what is measured by these units, and who serves a town."""
    utilities = index(domains, "distribuidora")
    for name, key in (("municipio", "municipio_id"), ("distribuidora", "distribuidora_id")):
        groups = grouped(units, "ano", key)
        for row in made[f"marts.resumo_{name}"]:
            group = groups[row["ano"], row[key]]
            new = {c: v for c, v in measures(group).items() if c not in row}
            row |= _shown(new, hide=row["suprimido"])
            if name == "municipio":
                codes = {u["distribuidora_id"] for u in group}
                only = str(next(iter(codes)))
                row["distribuidora"] = utilities[only]["nome"] if len(codes) == 1 else None


def _months_of_classes(units: Rows, kinds: dict, utilities: dict) -> Rows:
    columns = (*_SAFRA, "origem", "classe_consumo_id")
    layers = ("UCAT", "UCMT", "UCBT")
    groups = grouped(units, *columns)
    cells = {
        (*key[:2], layers.index(key[2]), key[3], m): cell
        for key, group in groups.items()
        for m, cell in _in_months(group).items()
    }
    totals = [
        lambda k: (*k[:2], k[4], k[3]),
        lambda k: (*k[:2], k[4], k[2]),
        lambda k: (*k[:2], k[4]),
    ]
    gone = {(*k[:2], layers[k[2]], k[3]) for k in along(cells, totals)}
    found = []
    for key, group in groups.items():
        for row in _class_months(group):
            kept = ("unidades", "unidades_com_geracao", "energia_kwh", "energia_ponta_kwh")
            kind = kinds.get(key[3], {})
            found.append(
                dict(zip(columns, key, strict=True))
                | {
                    "mes": row["mes"],
                    "distribuidora": utilities[str(key[1])]["nome"],
                    "classe_consumo": kind.get("descricao"),
                    "classe": kind.get("grupo"),
                    "suprimido": key in gone,
                }
                | _shown({c: row[c] for c in kept}, hide=key in gone)
            )
    return found
