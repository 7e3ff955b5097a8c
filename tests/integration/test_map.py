"""Hexagons and clusters: once more from the units' points, by shapely, pyproj and scipy.

Not here: where a unit is (test_golden.py), which rollups hide what (test_reader.py).
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import psycopg
import pytest
import shapely
from pyproj import Transformer
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from tests.integration import warehouse as a
from tests.integration.test_leads import table

SAFRA = ["ano", "distribuidora_id"]
POINTS = """
    select
        l.ano, l.distribuidora_id, l.longitude_final as x, l.latitude_final as y,
        l.possui_geracao as gd, a.energia_anual_kwh as kwh, a.dic_anual_h as dic,
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
    hours = np.where(found["ano"] % 4 == 0, 8784, 8760)
    found["dic"] = found["dic"].astype(float).where(found["dic"].astype(float).between(0, hours))
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
                "dic": inside["dic"].mean(),
                "gd": inside["gd"].sum(),
            }
        )
    return pd.concat([grid, pd.DataFrame(rows)], axis=1)


@pytest.mark.parametrize("size", [500, 2000, 8000])
def test_a_hexagon_says_what_its_units_say(
    conn: psycopg.Connection, units: pd.DataFrame, size: int
) -> None:
    """Every located unit is in one cell; counts, energy, DIC, generation are of those inside."""
    found = cells(conn, units, size)
    assert found["n"].sum() == len(units)
    shown = found[~found["suprimido"]]
    assert len(shown) > 0
    for name, expected in (
        ("quantidade_leads", "n"),
        ("energia_anual_kwh", "kwh"),
        ("media_dic_anual_h", "dic"),
        ("leads_com_geracao", "gd"),
    ):
        np.testing.assert_allclose(
            shown[name].astype(float), shown[expected].astype(float), rtol=1e-9, err_msg=name
        )


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


@pytest.mark.parametrize("kind", ["demanda", "gd"])
def test_clusters_are_those_that_scipy_finds(
    conn: psycopg.Connection, units: pd.DataFrame, kind: str
) -> None:
    """Places with two others within a kilometre, joined; the largest is number one."""
    found = table(conn, f"select * from marts.mart_cluster_geografico where tipo = '{kind}'")
    compared = 0
    for safra, of in units.groupby(SAFRA):
        places = of.groupby(["x", "y"]).agg(
            e=("e", "first"), n=("n", "first"), leads=("e", "size"), gd=("gd", "sum"),
            kwh=("kwh", lambda values: values.sum(min_count=1)),
        )  # fmt: skip
        if kind == "gd":
            places = places[places["gd"] > 0]
        else:
            top = np.percentile(places["kwh"].dropna(), 90)
            places = places[(places["kwh"] >= top) & (places["kwh"] > 0)]
        near = KDTree(places[["e", "n"]]).query_ball_point(places[["e", "n"]], 1000)
        core = np.array([len(others) >= 3 for others in near], dtype=bool)
        pairs = [(i, j) for i, js in enumerate(near) for j in js if core[i] and core[j]]
        links = coo_matrix((np.ones(len(pairs)), tuple(np.array(pairs).reshape(-1, 2).T)),
                           shape=(len(places),) * 2)  # fmt: skip
        _, label = connected_components(links)
        reached = [bool(core[js].any()) for js in near]
        mine = found[(found["ano"] == safra[0]) & (found["distribuidora_id"] == safra[1])]
        assert len(mine) == len(set(label[core])), safra
        if not mine["suprimido"].any() and len(mine):
            assert mine["lugares"].sum() == sum(reached)
            assert mine["quantidade_leads"].sum() == places.loc[reached, "leads"].sum()
            order = mine.sort_values("cluster_id")
            by = order["leads_com_geracao" if kind == "gd" else "energia_anual_kwh"]
            assert by.is_monotonic_decreasing
            compared += 1
    assert compared > 0
