"""Rollups: the documents' and the readers' say the same, sum to the same; beside them the limits.

Not here: their values (test_golden.py), which cells are hidden (test_reader.py, dbt's unit tests),
who reads them (test_queries.py).
"""

from collections.abc import Iterator
from pathlib import Path

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


# ANEEL's figures ----------------------------------------------------------------------------------

AGENTS = {401: "MUXENERGIA", 404: "Energisa MS"}
BUILD = ("--select", "continuidade_conjunto", *a.SAFRAS[1:])
KEYS = {
    "municipio": ["municipio_id"],
    "bairro": ["distribuidora_id", "municipio_id", "bairro"],
    "conjunto": ["distribuidora_id", "conjunto_id"],
    "distribuidora": ["distribuidora_id"],
    "segmento": ["distribuidora_id", "segmento_mercado_id"],
    "subgrupo": ["distribuidora_id", "subgrupo_tarifario_id"],
    "classe": ["distribuidora_id", "classe_consumo_id"],
}


@pytest.fixture(scope="module")
def divided(warehouse: a.Warehouse) -> a.Warehouse:
    """The made-up distributors have one conjunto each: here four, of another size each."""
    with warehouse.connect() as own:
        for layer in ("ucat", "ucmt", "ucbt"):
            own.execute(
                f"update raw.{layer} set conj = (dist::integer * 10 + sqrt(linha % 16)::integer)"
            )
    done = warehouse.build(safra="401-2024,404-2024")
    assert done.ok, done.trouble
    return warehouse


def land_continuity(warehouse: a.Warehouse, folder: Path, figures: pd.DataFrame) -> None:
    """Land DEC, FEC and limits by conjunto, in ANEEL's layout."""
    header = "DatGeracaoConjuntoDados;SigAgente;NumCNPJ;IdeConjUndConsumidoras;"
    header += "DscConjUndConsumidoras;SigIndicador;"
    months = [header + "AnoIndice;NumPeriodoIndice;VlrIndiceEnviado"]
    limits = [header + "AnoLimiteQualidade;VlrLimite"]
    for row in figures.itertuples():
        start = f"2025-01-05;{AGENTS[row.distribuidora_id]};;{row.conjunto_id};X;"
        for name, year, limit in (("DEC", row.dec, row.dec_limit), ("FEC", row.fec, row.fec_limit)):
            months += [f"{start}{name};2024;{m};{year / 12:.6f}" for m in range(1, row.months + 1)]
            limits += [f"{start}{name};2024;{limit:.2f}"]
    for dataset, lines in (("continuidade", months), ("continuidade_limite", limits)):
        file = folder / f"{dataset}.csv"
        file.write_text("\n".join([*lines, ""]).replace(".", ","), encoding="utf-8")
        arguments = ["aberto", dataset, "--arquivo", str(file)]
        done = a.Running(a._loaders, arguments, env=warehouse.env).wait()
        assert done.ok, done.trouble


def continuity(units: pd.DataFrame) -> pd.DataFrame:
    """Figures of each conjunto that has units; of one of them eleven months."""
    sets = units[["distribuidora_id", "conjunto_id"]].drop_duplicates().astype(int)
    n = np.arange(len(sets))
    figures = sets.sort_values(["distribuidora_id", "conjunto_id"]).reset_index(drop=True)
    of_year = {"dec": 6 + 1.5 * n, "fec": 2.4 + n, "dec_limit": 8.0 + n, "fec_limit": 5 + n / 2}
    return figures.assign(**of_year, months=np.where(n == 1, 11, 12))


SHOWN = {"dec_h": "dec", "fec": "fec", "dec_limite_h": "dec_limit", "fec_limite": "fec_limit"}


def test_beside_the_medians_stand_the_regulators_figures_weighted_by_leads(
    divided: a.Warehouse, tmp_path: Path
) -> None:
    """In all seven rollups, by pandas from the units; nothing before open data, nor of a hidden."""
    told = " + ".join(f"count({column})" for column in SHOWN)
    with divided.connect() as conn:
        for name in KEYS:
            assert a.value(conn, f"select {told} from marts.resumo_{name}") == 0
        units = table(
            conn,
            "select l.*, coalesce(l.segmento_mercado_id, k.segmento_mercado_id) as segmento"
            " from intel_lead.lead_bruto as l left join seeds.classe_segmento as k"
            " using (classe_consumo_id)",
        )
        units["segmento_mercado_id"] = units["segmento"]
        figures = continuity(units)
        assert len(figures) > 6
        land_continuity(divided, tmp_path, figures)
        done = divided.build(*BUILD)
        assert done.ok, done.trouble
        figures.loc[figures["months"] < 12, ["dec", "fec"]] = np.nan
        of = units.merge(figures, on=["distribuidora_id", "conjunto_id"])
        shown = 0
        for name, key in KEYS.items():
            means = of.groupby(key, dropna=False)[list(SHOWN.values())].mean().reset_index()
            right = keyed(means, key)[list(SHOWN.values())].set_axis(list(SHOWN), axis=1)
            rows = keyed(table(conn, f"select * from marts.resumo_{name}"), key)
            assert set(rows.index) == set(right.index)
            there = rows[list(SHOWN)].astype(float)
            assert there[rows["suprimido"]].isna().all(axis=None)
            right = right.loc[rows.index].where(~rows["suprimido"])
            assert np.allclose(there, right, rtol=1e-6, equal_nan=True), name
            shown += (~rows["suprimido"]).sum()
        assert shown > len(KEYS)
        # All that is hidden there, from the cells that the rollups are made of.
        for name, key in KEYS.items():
            dimension = "municipio" if name == "distribuidora" else name
            sums = table(
                conn,
                f"select {', '.join(key)}, sum(soma_dec_h) / nullif(sum(leads_com_dec), 0) as dec,"
                " sum(soma_fec_limite) / sum(leads_com_limite) as fec_limit"
                f" from intel_lead.safra_celula where dimensao = '{dimension}'"
                f" group by {', '.join(key)}",
            )
            means = of.groupby(key, dropna=False)[["dec", "fec_limit"]].mean().reset_index()
            sums, means = (keyed(frame, key)[["dec", "fec_limit"]] for frame in (sums, means))
            assert np.allclose(sums.astype(float), means.loc[sums.index], rtol=1e-6, equal_nan=True)


def test_a_new_figure_builds_its_own_safras_cells_and_no_other_table(
    divided: a.Warehouse, tmp_path: Path
) -> None:
    built = "select modelo, distribuidora_id, construida_em from controle.safra_construida"
    with divided.connect() as conn:
        figures = continuity(table(conn, "select * from intel_lead.lead_bruto"))
        land_continuity(divided, tmp_path, figures)
        assert divided.build(*BUILD).ok
        before = set(conn.execute(built).fetchall())
        figures.loc[figures["distribuidora_id"] == 404, "dec_limit"] += 1
        land_continuity(divided, tmp_path, figures)
        done = divided.build(*BUILD)
        assert done.ok, done.trouble
        moved = {(m, d) for m, d, _ in set(conn.execute(built).fetchall()) - before}
        assert moved == {("safra_celula", 404), ("safra_resumo", 404)}
