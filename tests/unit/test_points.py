"""Coordinates come out of any WKB that names points. Not here: files, reference systems."""

import struct

import numpy as np
import pyarrow as pa
import pytest
import shapely

from loaders.bdgd.points import count_several, read_points

XY = (-51.5, -28.25)
_LITTLE = struct.pack("<dd", *XY)
POINTS = {
    "plain": struct.pack("<BI", 1, 1) + _LITTLE,
    "ISO Z": struct.pack("<BI", 1, 1001) + _LITTLE + struct.pack("<d", 9),
    "ISO M": struct.pack("<BI", 1, 2001) + _LITTLE + struct.pack("<d", 9),
    "EWKB Z": struct.pack("<BI", 1, 0x80000001) + _LITTLE + struct.pack("<d", 9),
    "EWKB SRID": struct.pack("<BII", 1, 0x20000001, 4674) + _LITTLE,
    "big-endian": struct.pack(">BIdd", 0, 1, *XY),
    "big-endian Z": struct.pack(">BIddd", 0, 1001, *XY, 9),
    "multi of one": shapely.to_wkb(shapely.MultiPoint([XY])),
    "multi of two": shapely.to_wkb(shapely.MultiPoint([XY, (0, 0)])),
    "multi Z, big-endian": shapely.to_wkb(shapely.MultiPoint([(*XY, 9)]), byte_order=0),
}
NONE = {
    "null": None,
    "empty": struct.pack("<BI", 1, 1) + struct.pack("<dd", np.nan, np.nan),
    "empty multi": shapely.to_wkb(shapely.MultiPoint()),
    "line": shapely.to_wkb(shapely.LineString([XY, (0, 0)])),
    "cut": struct.pack("<BI", 1, 1) + _LITTLE[:7],
    "nothing": b"",
}


@pytest.mark.parametrize("wide", [False, True])
def test_every_form_of_a_point_is_read_among_the_others(wide: bool) -> None:
    forms = [
        b"",
        *(form for pair in zip(POINTS.values(), NONE.values(), strict=False) for form in pair),
    ]
    forms += list(POINTS.values())
    kind = pa.large_binary() if wide else pa.binary()
    x, y = read_points(pa.array(forms, kind).slice(1))
    wanted = np.array([form in POINTS.values() for form in forms[1:]])
    assert np.isnan(x[~wanted]).all()
    assert np.isnan(y[~wanted]).all()
    assert (x[wanted], y[wanted]) == (pytest.approx(XY[0]), pytest.approx(XY[1]))


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_point_has_no_coordinates(name: str) -> None:
    assert np.isnan(read_points(pa.array([NONE[name]], pa.binary()))).all()


def test_only_several_points_are_counted() -> None:
    assert count_several(pa.array([*POINTS.values(), *NONE.values()], pa.binary())) == 1
