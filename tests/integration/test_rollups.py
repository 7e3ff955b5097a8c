"""Rollups: the documents' and the readers' say the same, and sum to the same.

Not here: their values (test_golden.py), which cells are hidden (test_reader.py, dbt's unit tests),
who reads them (test_queries.py).
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import psycopg
import pytest

from tests.integration import warehouse as a
from tests.integration.test_leads import table


@pytest.fixture(scope="module")
def conn(golden: a.Warehouse) -> Iterator[psycopg.Connection]:
    """A reader of the golden warehouse, here as the owner."""
    with golden.connect() as connection:
        yield connection


def keyed(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """By the key's text, so that a null in it is a key too."""
    numbers = pd.api.types.is_numeric_dtype
    parts = [rows[c].astype("Int64") if numbers(rows[c]) else rows[c] for c in key]
    text = [part.astype("string").fillna("") for part in parts]
    return rows.set_index(pd.concat(text, axis=1).agg("|".join, axis=1))


@pytest.mark.parametrize(
    ("readers", "owners", "key"),
    [
        ("resumo_municipio", "resumo_energia_por_municipio", ["municipio_id"]),
        ("resumo_distribuidora", "resumo_leads_distribuidora", ["distribuidora_id"]),
        ("resumo_camada", "resumo_leads_ano_camada", ["camada"]),
    ],
)
def test_the_documents_rollups_and_the_readers_never_differ(
    conn: psycopg.Connection, readers: str, owners: str, key: list[str]
) -> None:
    """In any column that both have, wherever readers see it; all dimensions sum to the same."""
    theirs = keyed(table(conn, f"select * from intel_lead.{owners}"), ["ano", *key])
    shown = keyed(table(conn, f"select * from marts.{readers} where not suprimido"), ["ano", *key])
    both = [c for c in theirs.columns if c in shown.columns]
    assert {"quantidade_leads", "energia_anual_kwh", "media_dic_anual_h"} <= set(both)
    assert len(shown) > 0
    pd.testing.assert_frame_equal(
        shown[both].sort_index(),
        theirs.loc[shown.index, both].sort_index(),
        check_dtype=False,  # a município without code makes floats of the others'
    )


def test_every_dimension_sums_to_the_same(conn: psycopg.Connection) -> None:
    """Units, of each layer of each safra, whatever they are divided by."""
    sums = table(
        conn,
        "select dimensao, ano, distribuidora_id, origem::text, sum(quantidade_leads)::int as n,"
        " sum(energia_anual_kwh) as kwh, sum(leads_pf)::int as pf from intel_lead.safra_celula"
        " group by 1, 2, 3, 4",
    )
    by = sums.groupby(["ano", "distribuidora_id", "origem"])
    assert (by["dimensao"].nunique() == 6).all()
    assert (by["n"].nunique() == 1).all() and (by["pf"].nunique() == 1).all()
    assert np.allclose(by["kwh"].min().fillna(0), by["kwh"].max().fillna(0), rtol=1e-9)


def test_a_bairros_shape_holds_its_units_and_none_of_a_hidden_one(conn: psycopg.Connection) -> None:
    """The município's own point is nobody's place."""
    outside = """
        select count(*) filter (where not st_covers(st_buffer(r.geom, 1e-9), l.geom)), count(*)
        from intel_lead.lead_com_coordenadas as l
        inner join marts.resumo_bairro as r
            on l.ano = r.ano and l.distribuidora_id = r.distribuidora_id
            and l.municipio_id = r.municipio_id and l.bairro = r.bairro
        where l.origem_coordenada <> 'municipio' and r.geom is not null
    """
    out, units = conn.execute(outside).fetchone()
    assert out == 0 < units
    drawn = "select count(*) from marts.resumo_bairro where suprimido and geom is not null"
    assert a.value(conn, drawn) == 0
