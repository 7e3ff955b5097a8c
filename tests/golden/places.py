"""What maps show: municípios' polygons, outlines, hexagons, clusters of places.

Belongs here: geometry by shapely, pyproj and scipy. Not here: where a unit is (rollups.py), the
network's own shapes (network.py).
"""

import json
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import shapely
from pyproj import Transformer
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from tests.golden.cells import drawn
from tests.golden.curves import index
from tests.golden.expected import Domains, Row, Rows, grouped, total
from tests.golden.hiding import along, cell_of
from tests.golden.layers import shape

HEXAGONS_M = (500, 2000, 8000)
NEAR_M, AT_LEAST = 1000, 3
_PLANE = Transformer.from_crs(4674, 5880, always_xy=True)
_DEGREES = Transformer.from_crs(5880, 4674, always_xy=True)


def expected(
    meshes: tuple[Path, ...], units: Rows, whole: dict[str, Rows], domains: Domains
) -> dict[str, Rows]:
    """Over all safras."""
    polygons = _polygons(meshes, set(domains["municipio"]["id"]))
    placed = [u | {"at": _PLANE.transform(*u["point"])} for u in units if u["point"]]
    return {
        "municipio_geometria": list(polygons.values()),
        "marts.mart_contorno": _outlines(polygons, whole, domains),
        "marts.mart_hexagono": [row for size in HEXAGONS_M for row in _hexagons(placed, size)],
        "marts.mart_cluster_geografico": [
            row for kind in ("demanda", "gd") for row in _clusters(placed, kind)
        ],
    }


# ── Polygons ──────────────────────────────────────────────────────────────────────────────────────
def _multi(geometry: shapely.Geometry) -> shapely.Geometry:
    return shapely.MultiPolygon(list(shapely.get_parts(geometry)))


def _polygons(meshes: tuple[Path, ...], known: set[str]) -> dict[int, Row]:
    """Of each município the newest file's, whole and simplified to half a kilometre."""
    found = {}
    for number, path in enumerate(meshes, 1):
        for feature in json.loads(path.read_text())["features"]:
            code = feature["properties"]["codarea"]
            if code in known:
                geometry = shapely.geometry.shape(feature["geometry"])
                simple = shapely.simplify(geometry, 0.005, preserve_topology=True)
                found[int(code)] = {
                    "municipio_id": int(code),
                    "malha_id": number,
                    "geom": shape(_multi(geometry)),
                    "geom_simples": shape(_multi(simple)),
                }
    return found


def _outlines(polygons: dict[int, Row], whole: dict[str, Rows], domains: Domains) -> Rows:
    safra = ("ano", "distribuidora_id")
    names = {int(k): row["nome"] for k, row in index(domains, "municipio").items()}
    found = [
        {c: row[c] for c in safra}
        | {"tipo": "area", "codigo": row["area_atuacao"], "nome": None, "geom": row["geom"]}
        for row in whole["area_atuacao"]
        if row["geom"] is not None
    ]
    for ano, utility, town in grouped(whole["lead_bruto"], *safra, "municipio_id"):
        code = int(town) if town else None
        if code in polygons:
            found.append(
                {"tipo": "municipio", "ano": ano, "distribuidora_id": utility}
                | {"codigo": str(code), "nome": names[code]}
                | {"geom": polygons[code]["geom_simples"]}
            )
    return found


def _in_degrees(corners: np.ndarray) -> np.ndarray:
    return np.column_stack(_DEGREES.transform(corners[:, 0], corners[:, 1]))


# ── Hexagons ──────────────────────────────────────────────────────────────────────────────────────
def _middle(size: int, i: int, j: int) -> tuple[float, float]:
    """Centre of a cell with flat top, whose side is ``size``, metres."""
    height = size * math.sqrt(3)
    return 1.5 * size * i, height * (j + 0.5 * (i % 2))


def _cell_at(at: tuple[float, float], size: int) -> tuple[int, int]:
    """The cell of the nearest centre."""
    x, y = at
    column, row = round(x / (1.5 * size)), round(y / (size * math.sqrt(3)))
    near = [(i, j) for i in range(column - 1, column + 2) for j in range(row - 2, row + 3)]
    return min(near, key=lambda cell: (math.dist(at, _middle(size, *cell)), cell))


def _hexagon(size: int, i: int, j: int) -> shapely.Polygon:
    x, y = _middle(size, i, j)
    half = size * math.sqrt(3) / 2
    steps = [(-1, 0), (-0.5, -1), (0.5, -1), (1, 0), (0.5, 1), (-0.5, 1)]
    corners = np.array([(x + size * dx, y + half * dy) for dx, dy in steps])
    return shapely.Polygon(_in_degrees(corners))


def _hexagons(units: Rows, size: int) -> Rows:
    groups: dict[tuple, Rows] = defaultdict(list)
    for unit in units:
        i, j = _cell_at(unit["at"], size)
        groups[unit["ano"], unit["distribuidora_id"], f"{i}:{j}"].append(unit)
    cells = {k: cell_of((u["person"], u["kwh"]) for u in of) for k, of in groups.items()}
    gone = along(cells, [lambda key: key[:2]])
    found = []
    for key, of in groups.items():
        dics = [u["dic"] for u in of if u["dic"] is not None]
        said = {
            "quantidade_leads": len(of),
            "energia_anual_kwh": total([u["kwh"] for u in of]),
            "media_dic_anual_h": math.fsum(dics) / len(dics) if dics else None,
            "leads_com_geracao": sum(u["plant"] for u in of),
        }
        named = dict(zip(("ano", "distribuidora_id", "hexagono"), key, strict=True))
        cell = map(int, key[2].split(":"))
        named |= {"tamanho_m": size, "suprimido": key in gone}
        named["geom"] = shape(_hexagon(size, *cell))
        found.append(named | (dict.fromkeys(said) if key in gone else said))
    return found


# ── Clusters ──────────────────────────────────────────────────────────────────────────────────────
def _chosen(units: Rows, kind: str) -> list[Rows]:
    """Places (the units of one point each) of the top tenth by energy, or with generation."""
    places = [of for _, of in sorted(grouped(units, "point").items())]
    if kind == "gd":
        return [of for of in places if any(u["plant"] for u in of)]
    energies = [total([u["kwh"] for u in of]) for of in places]
    there = [v for v in energies if v is not None]
    least = np.percentile(there, 90) if there else math.inf
    return [
        of
        for of, kwh in zip(places, energies, strict=True)
        if kwh is not None and kwh >= least and kwh > 0
    ]


def _joined(points: np.ndarray) -> dict[int, list[int]]:
    """Those with two others within a kilometre are joined, with all that is as near to them."""
    near = KDTree(points).query_ball_point(points, NEAR_M)
    core = np.array([len(others) >= AT_LEAST for others in near])
    pairs = [(i, j) for i, others in enumerate(near) for j in others if core[i] and core[j]]
    links = coo_matrix(
        (np.ones(len(pairs)), tuple(np.array(pairs, dtype=int).reshape(-1, 2).T)),
        shape=(len(points),) * 2,
    )
    _, label = connected_components(links)
    found: dict[int, list[int]] = defaultdict(list)
    for i, others in enumerate(near):
        reached = [label[j] for j in sorted(others) if core[j]]
        if reached:
            found[label[i] if core[i] else reached[0]].append(i)
    return found


def _clusters(units: Rows, kind: str) -> Rows:
    found = []
    for safra, of_safra in grouped(units, "ano", "distribuidora_id").items():
        places = _chosen(of_safra, kind)
        if not places:
            continue
        points = np.array([of[0]["at"] for of in places])
        clusters = []
        for members in _joined(points).values():
            inside = [u for i in members for u in places[i]]
            area = shapely.convex_hull(shapely.MultiPoint(points[members]))
            clusters.append(
                {
                    "lugares": len(members),
                    "quantidade_leads": len(inside),
                    "energia_anual_kwh": total([u["kwh"] for u in inside]),
                    "leads_com_geracao": sum(u["plant"] for u in inside),
                    "area": area,
                    "cell": cell_of((u["person"], u["kwh"]) for u in inside),
                }
            )
        found += _numbered(clusters, kind, safra)
    return found


def _numbered(clusters: Rows, kind: str, safra: tuple[int, int]) -> Rows:
    """The largest is number one; what a reader may not see keeps its row."""

    def order(of: Row) -> tuple:
        kwh = of["energia_anual_kwh"]
        kwh = (kwh is None, -(kwh or 0))
        by = (False, -of["leads_com_geracao"]) if kind == "gd" else kwh
        return by, kwh, of["area"].bounds[:2]

    clusters = sorted(clusters, key=order)
    cells = {(n,): of["cell"] for n, of in enumerate(clusters, 1)}
    gone = along(cells, [lambda _: "safra"])
    found = []
    for n, of in enumerate(clusters, 1):
        area = shapely.transform(of.pop("area"), _in_degrees)
        of.pop("cell")
        said = of | {"geom": drawn(area)}
        named = {"tipo": kind, "cluster_id": n, "suprimido": (n,) in gone}
        named |= dict(zip(("ano", "distribuidora_id"), safra, strict=True))
        found.append(named | (dict.fromkeys(said) if (n,) in gone else said))
    return found
