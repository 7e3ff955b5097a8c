"""A made-up mesh of all municípios, with about as many points as IBGE's.

Belongs here: polygons for tests and measures. Not here: reading and landing a mesh (loaders/ibge).
"""

import json
from pathlib import Path

import numpy as np
import shapely

from loaders.ibge.mesh import municipios

SIDE, POINTS, WAVES = 75, 30, 6
"""Cells of the country's side; points of a border; how many waves it has."""


def brazil(seed: int = 5) -> dict[int, shapely.Polygon]:
    """Code → polygon in degrees: squares with wavy borders that neighbours share."""
    rng = np.random.default_rng(seed)
    t, borders = np.linspace(0, 1, POINTS)[:, None], {}

    def border(one: tuple[int, int], other: tuple[int, int]) -> np.ndarray:
        key = min(one, other), max(one, other)
        if key not in borders:
            start, end = np.array(key, float)
            sizes = rng.normal(0, 0.03 / np.arange(1, WAVES + 1), WAVES)
            waves = np.sin(np.pi * t * np.arange(1, WAVES + 1)) @ sizes
            waves[[0, -1]] = 0
            borders[key] = start + t * (end - start) + waves[:, None] * (end - start)[::-1]
        return borders[key] if key[0] == one else borders[key][::-1]

    shapes = {}
    for code, (i, j) in zip(sorted(municipios()), np.ndindex(SIDE, SIDE), strict=False):
        ring = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1), (i, j)]
        points = np.vstack([border(*pair)[:-1] for pair in zip(ring, ring[1:], strict=False)])
        shapes[code] = shapely.Polygon(points / 2 + [-73, -33])
    return shapes


def write(file: Path, shapes: dict[int, shapely.Polygon]) -> Path:
    """Write polygons as IBGE's service gives them."""
    features = [
        {
            "type": "Feature",
            "properties": {"CD_MUN": str(code)},
            "geometry": json.loads(shapely.to_geojson(shape)),
        }
        for code, shape in shapes.items()
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file
