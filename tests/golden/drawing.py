"""What maps draw of a safra: leads in cells of their tiles, feeders' lines by class of zoom.

Belongs here: cells by the formulas of web maps' tiles, lines by shapely and pyproj. Not here: the
leads (scores.py), the feeders' lines as they are (network.py).
"""

import math
from collections import defaultdict

import numpy as np
import shapely
from pyproj import Transformer

from tests.golden.expected import Row, Rows, Safra, total
from tests.golden.layers import Delivery, shape
from tests.golden.network import merged_lines

ZOOMS = range(10)
PARTS = 64
"""Of a tile's side a cell is."""
FARTHEST = 85
"""Degrees of latitude beyond which web maps have nothing."""
TOLERANCES_M = {8: 400, 10: 100, 12: 25, 14: 0}
"""First zoom of a class → how far a drawn line may be from the real one."""
_MERCATOR = Transformer.from_crs(4674, 3857, always_xy=True)


def finish(safra: Safra, deliveries: list[Delivery]) -> None:
    """Add both tables to a safra whose leads and losses are there."""
    tables = {
        "marts.mart_lead_celula": _cells(safra.tables["marts.mart_lead_safra"]),
        "marts.mart_alimentador_mapa": _feeders(safra, deliveries),
    }
    safra.tables |= {name: [row | safra.key for row in rows] for name, rows in tables.items()}


def _cells(leads: Rows) -> Rows:
    groups: dict[tuple[int, int, int], Rows] = defaultdict(list)
    for lead in leads:
        if lead["geom"] is not None and abs(lead["latitude"]) <= FARTHEST:
            for zoom in ZOOMS:
                x, y = _in_the_world(lead["longitude"], lead["latitude"])
                side = PARTS * 2**zoom
                groups[zoom, math.floor(x * side), math.floor(y * side)].append(lead)
    return [
        {"zoom": zoom, "coluna": column, "linha": line} | _sums(group)
        for (zoom, column, line), group in groups.items()
    ]


def _in_the_world(longitude: float, latitude: float) -> tuple[float, float]:
    """Where in the square of web maps, 0 to 1 from the west and from the north."""
    north = math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2))
    return (longitude + 180) / 360, (1 - north / math.pi) / 2


def _sums(group: Rows) -> Row:
    scores = [lead["melhor_score"] for lead in group if lead["melhor_score"] is not None]
    return {
        "quantidade_leads": len(group),
        "energia_anual_kwh": total([lead["energia_anual_kwh"] for lead in group]),
        "longitude": math.fsum(lead["longitude"] for lead in group) / len(group),
        "latitude": math.fsum(lead["latitude"] for lead in group) / len(group),
        "melhor_score": max(scores, key=float, default=None),
    }


def _feeders(safra: Safra, deliveries: list[Delivery]) -> Rows:
    losses = {row["circuito"]: row for row in safra.tables["marts.mart_perda_alimentador"]}
    kept = ("perdas_pct", "nome", "subestacao", "situacao")
    found = []
    for feeder, line in merged_lines(deliveries).items():
        plane = shapely.transform(line, lambda xy: np.column_stack(_MERCATOR.transform(*xy.T)))
        told = losses.get(feeder, dict.fromkeys(kept))
        for zoom, tolerance in TOLERANCES_M.items():
            drawn = _drawn(plane, tolerance)
            if drawn is not None:
                row = {"circuito": feeder, "zoom_minimo": zoom} | {c: told[c] for c in kept}
                found.append(row | {"geom": shape(drawn).replace("4674", "3857", 1)})
    return found


def _drawn(line: shapely.MultiLineString, tolerance: float) -> shapely.MultiLineString | None:
    """Corners on a grid of half the tolerance, pieces that meet made one, then fewer corners."""
    if not tolerance:
        return line
    grid, pieces = tolerance / 2, []
    for piece in line.geoms:
        corners = np.rint(shapely.get_coordinates(piece) / grid) * grid
        moved = np.r_[True, np.any(corners[1:] != corners[:-1], axis=1)]
        if moved.sum() > 1:
            pieces.append(shapely.LineString(corners[moved]))
    if not pieces:
        return None
    merged = shapely.line_merge(shapely.MultiLineString(pieces))
    simple = shapely.simplify(merged, tolerance, preserve_topology=False)
    return shapely.MultiLineString([p for p in shapely.get_parts(simple) if p.length])
