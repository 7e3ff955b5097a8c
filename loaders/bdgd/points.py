"""Coordinates of point geometries as GDAL hands them out: WKB, in Arrow arrays.

Belongs here: pure computations on WKB. Not here: reading files, reference systems.
"""

import numpy as np
import pyarrow as pa

_POINT, _MULTIPOINT = 0, 4
"""Shapely's type numbers."""
_EWKB_SRID = 0x20000000


def read_points(wkb: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates x and y, float64, of each geometry: of a point, or the first of a MultiPoint.

    NaN for null, empty and what is no point. Any byte order, with or without Z, M or SRID.
    """
    if wkb.type != pa.binary():
        wkb = wkb.cast(pa.binary())
    start = np.frombuffer(wkb.buffers()[1], "<i4", len(wkb) + 1, wkb.offset * 4)
    size = np.diff(start)
    points = np.full((len(wkb), 2), np.nan)
    if wkb.buffers()[2] is None:
        return points[:, 0], points[:, 1]
    full = np.flatnonzero(size >= 21)
    span = start[full][:, None] + np.arange(21)
    records = np.frombuffer(wkb.buffers()[2], np.uint8)[span]
    kind = records[:, 1:5].copy().view("<u4").ravel()
    plain = (records[:, 0] == 1) & (kind & _EWKB_SRID == 0) & ((kind & 0x0FFFFFFF) % 1000 == 1)
    points[full[plain]] = records[plain, 5:21].copy().view("<f8").reshape(-1, 2)
    rest = np.setdiff1d(np.flatnonzero(size > 0), full[plain])
    if len(rest):
        points[rest] = _first_points(wkb.take(pa.array(rest)))
    return points[:, 0], points[:, 1]


def _first_points(wkb: pa.Array) -> np.ndarray:
    """The same by shapely, for what is rare."""
    import shapely

    geometries = shapely.from_wkb(wkb.to_pylist(), on_invalid="ignore")
    of_points = np.isin(shapely.get_type_id(geometries), (_POINT, _MULTIPOINT))
    xy, owner = shapely.get_coordinates(np.where(of_points, geometries, None), return_index=True)
    found, first = np.unique(owner, return_index=True)
    points = np.full((len(wkb), 2), np.nan)
    points[found] = xy[first]
    return points


def count_several(wkb: pa.Array) -> int:
    """How many geometries have more than one point."""
    import shapely

    geometries = shapely.from_wkb(wkb.to_pylist(), on_invalid="ignore")
    return int((shapely.get_num_geometries(geometries) > 1).sum())
