"""A mesh drawn from afar: polygons simplified together, so that neighbours leave no gaps.

Belongs here: geometry. Not here: the classes (zoom.py), the database (landing.py), tiles
(api/maps), which draw what stands here as it is.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import shapely

from loaders.ibge.zoom import CLASSES

_RADIUS = 6_378_137.0
_LIMIT = 85.0
"""Degrees of latitude: beyond, Mercator's plane does not reach."""


def simplified(shapes: Mapping[int, bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Each município at each class: code, first zoom, WKB of a MultiPolygon in EPSG:3857.

    Args:
        shapes: IBGE's code → WKB in degrees SIRGAS 2000, which differs from WGS 84 by less than
            a mesh's detail.
    """
    codes = list(shapes)
    plane = shapely.transform(shapely.from_wkb(list(shapes.values())), _on_the_plane)
    for zoom, tolerance in CLASSES.items():
        coarse = shapely.coverage_simplify(plane, tolerance) if tolerance else plane
        for code, polygon in zip(codes, coarse, strict=True):
            yield code, zoom, shapely.to_wkb(_multi(polygon))


def _on_the_plane(degrees: np.ndarray) -> np.ndarray:
    radians = np.radians(np.clip(degrees, [-180, -_LIMIT], [180, _LIMIT]))
    north = np.log(np.tan(np.pi / 4 + radians[:, 1] / 2))
    return _RADIUS * np.column_stack([radians[:, 0], north])


def _multi(polygon: shapely.Geometry) -> shapely.MultiPolygon:
    return polygon if polygon.geom_type == "MultiPolygon" else shapely.MultiPolygon([polygon])
