"""What is forecast of single leads: the naive and its intervals, once more by numpy.

Not here: intervals from two safras (dbt's unit test of previsao_faixa), series of many units
(test_forecasts.py).
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import psycopg
import pytest

from tests.integration import warehouse as a
from tests.integration.test_leads import table

CELL = ["ano", "distribuidora_id", "perfil_id"]
BOUNDS = {"inferior_95": 2.5, "inferior_80": 10, "superior_80": 90, "superior_95": 97.5}


@pytest.fixture(scope="module")
def conn(golden: a.Warehouse) -> Iterator[psycopg.Connection]:
    """A reader of the golden warehouse."""
    with golden.connect() as connection:
        yield connection


def test_a_profiles_interval_is_how_far_its_units_months_are_from_its_season(
    conn: psycopg.Connection,
) -> None:
    units = table(
        conn,
        "select f.ano, f.distribuidora_id, f.perfil_id, p.uc_id, p.energia_mes"
        " from intel_lead.lead_perfil_consumo as f"
        " inner join intel_lead.lead_perfil as p using (uc_id, ano, distribuidora_id)"
        " where f.medidas is not null",
    )
    published = table(conn, "select * from intel_lead.previsao_faixa").set_index(CELL)
    assert (published["meses_testados"] == 0).all()
    told = 0
    for cell, of in units.groupby(CELL):
        chosen = of.sort_values("uc_id", key=lambda ids: ids.map(lambda one: one.bytes))[:2000]
        row = published.loc[cell]
        assert row["unidades"] == len(chosen)
        if len(chosen) < 5:
            assert row[list(BOUNDS)].isna().all()
            continue
        months = np.array(chosen["energia_mes"].tolist(), dtype=float)
        shape = months / np.nanmean(months, axis=1, keepdims=True)
        off = np.sqrt(2) * (shape - np.nanmedian(shape, axis=0))
        for name, percent in BOUNDS.items():
            bound = np.nanpercentile(off, percent)
            bound = min(bound, 0) if name.startswith("inferior") else max(bound, 0)
            assert float(row[name]) == pytest.approx(bound, abs=1e-9), (cell, name)
        told += 1
    assert told > 20
    assert len(published) == units.groupby(CELL).ngroups


def test_each_lead_has_its_last_months_again_within_its_profiles_interval(
    conn: psycopg.Connection,
) -> None:
    leads = table(
        conn, "select uc_id, ano, distribuidora_id, energia_mes from marts.mart_lead"
    ).set_index("uc_id")
    told = table(conn, "select * from marts.mart_previsao_lead")
    assert set(told["uc_id"]) == set(leads.index)
    assert (told.groupby("uc_id").size() == 12).all()
    assert (told["modelo"] == "ingenuo_sazonal").all()
    months = pd.to_datetime(told["competencia"])
    of = leads.loc[told["uc_id"]]
    assert (months.dt.year.to_numpy() == of["ano"].to_numpy() + 1).all()
    energy = np.array(of["energia_mes"].tolist(), dtype=float)
    same = energy[np.arange(len(told)), months.dt.month.to_numpy() - 1]
    mean = told["media"].astype(float).to_numpy()
    assert mean == pytest.approx(np.maximum(same, 0), nan_ok=True)
    cells = table(conn, "select * from intel_lead.previsao_faixa").set_index(CELL)
    keys = pd.MultiIndex.from_arrays([of["ano"], of["distribuidora_id"], told["perfil_id"]])
    bands = cells.reindex(keys)
    size = np.nanmean(np.where(np.isnan(energy).all(axis=1)[:, None], 0, energy), axis=1)
    for name in BOUNDS:
        bound = same + bands[name].astype(float).to_numpy() * size
        assert told[name].astype(float).to_numpy() == pytest.approx(
            np.maximum(bound, 0), nan_ok=True, rel=1e-9, abs=1e-6
        )
    sound = told.dropna(subset=list(BOUNDS))
    ordered = sound[["inferior_95", "inferior_80", "media", "superior_80", "superior_95"]]
    assert len(ordered) > 1000
    assert (ordered.astype(float).diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
