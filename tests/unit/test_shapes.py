"""Lines and polygons on their way to PostGIS. Not here: points (test_points)."""

import numpy as np
import pyarrow as pa
import shapely

from loaders.bdgd.shapes import to_ewkb


def shifted(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A system of coordinates one degree east of ours."""
    return x + 1, y


def test_shapes_arrive_flat_moved_and_with_their_system() -> None:
    """Null, empty and what is no geometry are null; Z goes, every vertex is moved."""
    line = shapely.LineString([(0, 0, 5), (2, 3, 7)])
    empty = shapely.to_wkb(shapely.Polygon())
    wkb = [shapely.to_wkb(line), None, empty, b"\x01none", shapely.to_wkb(shapely.box(0, 0, 1, 1))]
    found = to_ewkb(pa.array(wkb, pa.binary()), shifted, 4674)
    assert [value is None for value in found.to_pylist()] == [False, True, True, True, False]
    shapes = shapely.from_wkb([found[0].as_py(), found[4].as_py()])
    assert shapely.get_srid(shapes).tolist() == [4674, 4674]
    assert shapes[0].wkt == "LINESTRING (1 0, 3 3)"
    assert shapes[1].equals(shapely.box(1, 0, 2, 1))
