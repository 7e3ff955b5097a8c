"""Consumption profiles: each unit's once more by numpy, from its months; the marts from the units.

Not here: a unit beside a centre, case by case (dbt's unit tests), how centres are made
(tests/unit/test_profile_centres.py).
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import psycopg
import pytest

from tests.integration import warehouse as a
from tests.integration.test_leads import table
from tests.unit.test_seeds import read

SAFRA = ["ano", "distribuidora_id"]
MEASURES = ["nivel", "sazonalidade", "verao", "ponta", "fator_carga"]
UNITS = """
    select
        l.uc_id, l.ano, l.distribuidora_id, l.origem::text, c.grupo as classe,
        array_agg(e.energia_total order by e.mes) as mes,
        f.energia_ponta_kwh as ponta, f.demanda_maxima_kw as kw,
        p.perfil_id, p.silhueta,
        not (l.uc_id = any(array(select uc_id from marts.lead_com_coordenadas))) as pf
    from intel_lead.lead_bruto as l
    inner join intel_lead.lead_energia_mensal as e using (uc_id, ano, distribuidora_id)
    inner join intel_lead.lead_perfil as f using (uc_id, ano, distribuidora_id)
    inner join intel_lead.lead_perfil_consumo as p using (uc_id, ano, distribuidora_id)
    left join intel_lead.classe_consumo as c on c.id = l.classe_consumo_id
    group by 1, 2, 3, 4, 5, 7, 8, 9, 10, 11
"""


@pytest.fixture(scope="module")
def conn(golden: a.Warehouse) -> Iterator[psycopg.Connection]:
    """A reader of the golden warehouse."""
    with golden.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def units(conn: psycopg.Connection) -> pd.DataFrame:
    """Every unit with its year, what it is like by its months, and its published profile."""
    found = table(conn, UNITS)
    months = np.array(found["mes"].tolist(), dtype=float)
    found["kwh"] = np.where(np.isnan(months).all(axis=1), np.nan, np.nansum(months, axis=1))
    summer = np.nansum(months[:, [11, 0, 1, 2]], axis=1)
    found["summer"] = np.where(found["kwh"] > 0, summer, np.nan)
    largest = np.where(np.isnan(months), -np.inf, months).max(axis=1)
    mean = found["kwh"].where(found["kwh"] > 0) / (~np.isnan(months)).sum(axis=1)
    found["swing"] = largest / mean
    hours = np.where(found["ano"] % 4 == 0, 8784, 8760)
    load = found["kwh"] / (found["kw"].astype(float) * hours)
    found["load"] = load.where(load <= 1)
    found["group"] = np.where(
        found["origem"] != "UCBT",
        "alta_media",
        found["classe"].map(
            lambda name: name if name in ("residencial", "rural", "comercial", "industrial")
            else None if name in (None, "não informado") else "publico"
        ),
    )  # fmt: skip
    return found


def test_each_unit_is_of_the_profile_whose_centre_is_nearest(units: pd.DataFrame) -> None:
    centres = pd.DataFrame(read("perfil_centro")).replace("", np.nan)
    centres[MEASURES] = centres[MEASURES].astype(float)
    used = units[(units["kwh"] > 0) & units["group"].notna()]
    measured = np.column_stack(
        [
            np.log10(used["kwh"] / 12) / 0.15,
            np.log2(used["swing"].clip(upper=4)) / 0.5,
            used["summer"] / used["kwh"] / 0.1,
            used["ponta"].astype(float) / used["kwh"] / 0.07,
            used["load"] / 0.2,
        ]
    )
    checked = 0
    for group, rows in used.groupby("group"):
        of = centres[(centres["grupo"] == group) & centres["nivel"].notna()]
        mine = measured[used.index.get_indexer(rows.index)]
        apart = np.sqrt(np.nansum((mine[:, None, :] - of[MEASURES].to_numpy()) ** 2, axis=2))
        near = np.sort(apart, axis=1)
        silhouette = 1 - near[:, 0] / near[:, 1]
        assert rows["silhueta"].astype(float).to_numpy() == pytest.approx(silhouette, abs=1e-4)
        # Float32 measures may decide otherwise between two centres at the same distance.
        clear = near[:, 1] - near[:, 0] > 1e-3
        expected = of["perfil_id"].to_numpy()[apart.argmin(axis=1)]
        assert rows["perfil_id"].to_numpy()[clear].tolist() == expected[clear].tolist()
        checked += int(clear.sum())
    assert checked > 0.99 * len(used) > 0
    rest = units.drop(used.index)
    unknown = rest["kwh"].isna() | rest["group"].isna()
    assert (rest.loc[unknown, "perfil_id"] == "sem_dados").all()
    zero = rest[~unknown]
    assert (zero["perfil_id"] == zero["group"] + "_sem_consumo").all()


def test_a_profile_is_the_sum_of_its_units_and_small_cells_say_nothing(
    conn: psycopg.Connection, units: pd.DataFrame
) -> None:
    published = table(conn, "select * from marts.mart_perfil_consumo").set_index(
        [*SAFRA, "perfil_id"]
    )
    cells = units.groupby([*SAFRA, "perfil_id"])
    expected = pd.DataFrame(
        {
            "quantidade_leads": cells.size(),
            "energia_anual_kwh": cells["kwh"].sum(min_count=1),
            "media_kwh_mes": cells["kwh"].mean() / 12,
            "media_sazonalidade": cells["swing"].mean(),
            "participacao_verao": cells["summer"].sum(min_count=1) / cells["kwh"].sum(),
            "media_fator_carga": cells["load"].mean(),
            "silhueta": cells["silhueta"].agg(lambda of: of.astype(float).mean()),
        }
    )
    assert sorted(published.index) == sorted(expected.index)
    shown = published[~published["suprimido"]]
    assert len(shown) > 10
    for name in expected:
        told = shown[name].astype(float)
        assert told.to_numpy() == pytest.approx(
            expected.loc[shown.index, name].astype(float).to_numpy(), rel=1e-4, nan_ok=True
        ), name
    hidden = published.index[published["suprimido"]]
    assert published.loc[hidden, list(expected)].isna().all(axis=None)
    small = (cells["pf"].sum() > 0) & (
        (cells.size() < 5) | (cells["kwh"].max() > 0.8 * cells["kwh"].sum())
    )
    assert set(small.index[small]) <= set(hidden)


def test_readers_see_the_profile_of_each_lead_and_of_no_natural_person(
    conn: psycopg.Connection, units: pd.DataFrame
) -> None:
    seen = table(conn, "select * from marts.mart_perfil_consumo_lead").set_index("uc_id")
    legal = units[~units["pf"]].set_index("uc_id")
    leads = table(conn, "select uc_id from marts.mart_lead_safra")
    assert set(seen.index) == set(leads["uc_id"]) <= set(legal.index)
    assert (seen["perfil_id"] == legal.loc[seen.index, "perfil_id"]).all()
    names = {row["perfil_id"]: row["perfil"] for row in read("perfil_centro")}
    assert (seen["perfil"] == seen["perfil_id"].map(names)).all()
