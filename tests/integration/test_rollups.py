"""Rollups: every measure once more from the units by pandas.

Not here: which cells are hidden (test_reader.py, dbt's unit tests), scores (test_leads.py), who
reads them (test_queries.py).
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import psycopg
import pytest

from tests.integration import warehouse as a
from tests.integration.test_leads import table

KEYS = {
    "municipio": ["ano", "municipio_id"],
    "distribuidora": ["ano", "distribuidora_id"],
    "bairro": ["ano", "distribuidora_id", "municipio_id", "bairro"],
    "conjunto": ["ano", "distribuidora_id", "conjunto_id"],
    "segmento": ["ano", "distribuidora_id", "segmento_mercado_id"],
    "subgrupo": ["ano", "distribuidora_id", "subgrupo_tarifario_id"],
    "classe": ["ano", "distribuidora_id", "classe_consumo_id"],
}
"""Rollup → the columns that name a row."""
OFFERS = ("migracao", "arbitragem", "backup", "gtd", "eficiencia")
UNITS = """
    select
        l.ano, l.distribuidora_id, l.municipio_id, l.bairro, l.conjunto_id, l.subgrupo_tarifario_id,
        l.classe_consumo_id, l.uc_id::text, l.origem::text,
        coalesce(l.segmento_mercado_id, s.segmento_mercado_id) as segmento_mercado_id,
        l.pac, coalesce(l.livre, false) as livre, l.possui_geracao as gd,
        a.energia_anual_kwh as kwh, a.dic_anual_h as dic, a.fic_anual as fic,
        p.energia_ponta_kwh as ponta, p.energia_mes, p.energia_ponta_mes
    from intel_lead.lead_bruto as l
    inner join intel_lead.lead_resumo_anual as a using (uc_id, ano, distribuidora_id)
    inner join intel_lead.lead_perfil as p using (uc_id, ano, distribuidora_id)
    left join seeds.classe_segmento as s on l.classe_consumo_id = s.classe_consumo_id
"""


@pytest.fixture(scope="module")
def conn(golden: a.Warehouse) -> Iterator[psycopg.Connection]:
    """A reader of the golden warehouse, here as the owner."""
    with golden.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def units(conn: psycopg.Connection) -> pd.DataFrame:
    """Every unit of every safra, with what counts in a rollup."""
    found = table(conn, UNITS)
    hours = np.where(found["ano"] % 4 == 0, 8784, 8760)
    for name in ("dic", "fic"):
        found[name] = found[name].astype(float)
        found[f"{name}_bad"] = ~(found[name].isna() | found[name].between(0, hours))
        found[name] = found[name].where(~found[f"{name}_bad"])
    of_set = found[found["dic"].notna()].groupby(["ano", "distribuidora_id", "conjunto_id"])
    medians = of_set.agg(
        n=("dic", "size"), dic_median=("dic", "median"), fic_median=("fic", "median")
    )
    medians = medians[medians["n"] >= 5].drop(columns="n").reset_index()
    found = found.merge(medians, how="left", on=["ano", "distribuidora_id", "conjunto_id"])
    scores = table(conn, "select uc_id::text, oferta, score::float from marts.mart_lead_score")
    wide = scores.pivot(index="uc_id", columns="oferta", values="score").add_prefix("score_")
    return found.merge(wide, how="left", left_on="uc_id", right_index=True)


def measures(cell: pd.DataFrame) -> dict[str, float]:
    """What a rollup says of these units."""

    def total(values: pd.Series) -> float:
        return values.astype(float).sum(min_count=1)

    energy = total(cell["kwh"])
    return {
        "quantidade_leads": len(cell),
        "energia_anual_kwh": energy,
        "energia_ponta_kwh": total(cell["ponta"]),
        "participacao_ponta_pct": 100 * total(cell["ponta"]) / energy if energy else np.nan,
        "demanda_contratada_kw": total(cell["pac"]),
        "media_dic_anual_h": cell["dic"].mean(),
        "media_fic_anual": cell["fic"].mean(),
        "dic_mediana_conjunto_h": cell["dic_median"].mean(),
        "fic_mediana_conjunto": cell["fic_median"].mean(),
        "leads_dic_impossivel": cell["dic_bad"].sum(),
        "leads_fic_impossivel": cell["fic_bad"].sum(),
        "leads_livres": cell["livre"].sum(),
        "livre_pct": 100 * cell["livre"].mean(),
        "energia_livre_pct": 100 * total(cell["kwh"][cell["livre"]]) / energy if energy else np.nan,
        "leads_com_geracao": cell["gd"].sum(),
        "gd_pct": 100 * cell["gd"].mean(),
        **{f"score_{offer}": cell[f"score_{offer}"].mean() for offer in OFFERS},
    }


def keyed(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """By the key's text, so that a null in it is a key too."""
    numbers = pd.api.types.is_numeric_dtype
    parts = [rows[c].astype("Int64") if numbers(rows[c]) else rows[c] for c in key]
    text = [part.astype("string").fillna("") for part in parts]
    return rows.set_index(pd.concat(text, axis=1).agg("|".join, axis=1))


@pytest.mark.parametrize("name", KEYS)
def test_a_rollup_is_what_its_units_say(
    conn: psycopg.Connection, units: pd.DataFrame, name: str
) -> None:
    """Of every cell that is shown, every measure; a hidden one keeps its row without any."""
    key = KEYS[name]
    found = keyed(table(conn, f"select * from marts.resumo_{name}"), key)
    groups = {k: measures(cell) for k, cell in keyed(units, key).groupby(level=0)}
    expected = pd.DataFrame.from_dict(groups, orient="index")
    assert set(found.index) == set(expected.index)
    assert found.index.is_unique
    hidden = found["suprimido"]
    shown = found.loc[~hidden, expected.columns].astype(float)
    assert len(shown) > 0
    for column in expected:
        right = expected.loc[shown.index, column].astype(float)
        assert np.allclose(shown[column], right, rtol=1e-9, atol=1e-9, equal_nan=True), column
    assert found.loc[hidden, expected.columns].isna().all(axis=None)


def test_the_classes_months_are_what_their_units_say(
    conn: psycopg.Connection, units: pd.DataFrame
) -> None:
    key = ["ano", "distribuidora_id", "origem", "classe_consumo_id", "mes"]
    months = pd.concat(
        units[["ano", "distribuidora_id", "origem", "classe_consumo_id", "gd"]].assign(
            mes=m, kwh=units["energia_mes"].str[m - 1], peak=units["energia_ponta_mes"].str[m - 1]
        )
        for m in range(1, 13)
    )
    months = keyed(months[months["kwh"].notna()].astype({"kwh": float, "peak": float}), key)
    expected = months.groupby(level=0).agg(
        unidades=("kwh", "size"), unidades_com_geracao=("gd", "sum"), energia_kwh=("kwh", "sum")
    )
    expected["energia_ponta_kwh"] = months.groupby(level=0)["peak"].sum(min_count=1)
    found = keyed(table(conn, "select * from marts.resumo_classe_mes"), key)
    assert set(found.index) == set(expected.index)
    hidden = found["suprimido"]
    shown = found.loc[~hidden, expected.columns].astype(float)
    assert len(shown) > 100
    right = expected.loc[shown.index].astype(float)
    assert np.allclose(shown, right, rtol=1e-9, atol=1e-9, equal_nan=True)
    assert found.loc[hidden, expected.columns].isna().all(axis=None)
    whole = found.groupby(
        ["ano", "distribuidora_id", "origem", found["classe_consumo_id"].fillna("")]
    )
    assert (whole["suprimido"].nunique() == 1).all()


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
