"""Lines and polygons as GDAL hands them out, to what PostGIS reads: WKB, in Arrow arrays.

Belongs here: pure computations on WKB. Not here: points, which become two columns (points.py).
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import shapely

Transform = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def to_ewkb(wkb: pa.Array, to_datum: Transform, srid: int) -> pa.Array:
    """Two-dimensional EWKB in hexadecimal; null for null, empty and what is no geometry.

    Args:
        wkb: of any byte order, with or without Z and M.
        to_datum: x and y of all vertices to those of the system ``srid``.
        srid: PostGIS's number of it.
    """
    shapes = shapely.from_wkb(wkb.to_pylist(), on_invalid="ignore")
    shapes = np.where(shapely.is_empty(shapes), None, shapely.force_2d(shapes))
    moved = shapely.transform(shapes, lambda xy: np.column_stack(to_datum(xy[:, 0], xy[:, 1])))
    return pa.array(
        shapely.to_wkb(shapely.set_srid(moved, srid), hex=True, include_srid=True), pa.string()
    )
