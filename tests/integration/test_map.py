"""Hexagons: what a reader could take off a safra, and that a cell has one name for ever.

Not here: their values, clusters, where a unit is (test_golden.py), what rollups hide
(test_reader.py).
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import psycopg
import pytest
import shapely
from pyproj import Transformer

from tests.integration import warehouse as a
from tests.integration.test_leads import table

SAFRA = ["ano", "distribuidora_id"]
POINTS = """
    select
        l.ano, l.distribuidora_id, l.longitude_final as x, l.latitude_final as y,
        a.energia_anual_kwh as kwh,
        not (l.uc_id = any(array(select uc_id from marts.lead_com_coordenadas))) as pf
    from intel_lead.lead_com_coordenadas as l
    inner join intel_lead.lead_resumo_anual as a using (uc_id, ano, distribuidora_id)
    where l.origem_coordenada in ('uc', 'ponto_notavel')
"""


@pytest.fixture(scope="module")
def conn(golden: a.Warehouse) -> Iterator[psycopg.Connection]:
    """A reader of the golden warehouse."""
    with golden.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def units(conn: psycopg.Connection) -> pd.DataFrame:
    """Every unit that has a place of its own, in metres too."""
    found = table(conn, POINTS)
    plane = Transformer.from_crs(4674, 5880, always_xy=True)
    found["e"], found["n"] = plane.transform(found["x"].to_numpy(), found["y"].to_numpy())
    found["kwh"] = found["kwh"].astype(float)
    return found


def cells(conn: psycopg.Connection, units: pd.DataFrame, size: int) -> pd.DataFrame:
    """Each hexagon of a size beside what the units inside it say."""
    grid = table(
        conn,
        "select *, st_asbinary(st_transform(geom, 5880)) as wkb from marts.mart_hexagono"
        f" where tamanho_m = {size}",
    )
    rows = []
    for cell in grid.itertuples():
        inside = units[
            (units["ano"] == cell.ano)
            & (units["distribuidora_id"] == cell.distribuidora_id)
            # A millimetre: the shape went to degrees and back.
            & shapely.intersects_xy(
                shapely.buffer(shapely.from_wkb(cell.wkb), 1e-3), units["e"], units["n"]
            )
        ]
        rows.append(
            {
                "n": len(inside),
                "pf": inside["pf"].sum(),
                "kwh": inside["kwh"].sum(min_count=1),
                "largest": inside["kwh"].max(),
            }
        )
    return pd.concat([grid, pd.DataFrame(rows)], axis=1)


@pytest.mark.parametrize("size", [500, 2000, 8000])
def test_a_hexagon_of_few_units_that_hold_a_person_says_nothing(
    conn: psycopg.Connection, units: pd.DataFrame, size: int
) -> None:
    """What is left of a safra without its shown cells is no small cell either."""
    found = cells(conn, units, size)
    small = (found["pf"] > 0) & ((found["n"] < 5) | (found["largest"] > 0.8 * found["kwh"]))
    assert found.loc[small, "suprimido"].all()
    assert not found.loc[found["pf"] == 0, "suprimido"].any()
    measures = ["quantidade_leads", "energia_anual_kwh", "media_dic_anual_h", "leads_com_geracao"]
    assert found.loc[found["suprimido"], measures].isna().all(axis=None)
    for _, of in found.groupby(SAFRA):
        left = of[of["suprimido"]]
        small = left["n"].sum() < 5 or left["largest"].max() > 0.8 * left["kwh"].sum()
        assert left.empty or not small or of.loc[of["pf"] > 0, "suprimido"].all()


def test_a_cell_has_one_name_in_every_safra(conn: psycopg.Connection) -> None:
    """The grid begins at the projection's origin, not where a safra's points do."""
    shapes = table(
        conn, "select tamanho_m, hexagono, st_astext(geom, 9) as shape from marts.mart_hexagono"
    )
    assert (shapes.groupby(["tamanho_m", "hexagono"])["shape"].nunique() == 1).all()
    sides = table(
        conn,
        "select tamanho_m, st_perimeter(st_transform(geom, 5880)) / 6 as m"
        " from marts.mart_hexagono",
    )
    np.testing.assert_allclose(sides["m"].astype(float), sides["tamanho_m"], rtol=1e-6)
