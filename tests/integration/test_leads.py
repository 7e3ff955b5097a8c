"""Leads: MUX Energia's figures as worked out by hand, every score once more by pandas, privacy.

Not here: one rule on made-up rows (dbt's unit tests), what seeds promise (unit/test_seeds.py).
"""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
import pyogrio
import pytest

from loaders.synthetic.writer import generate
from tests.golden.inputs import MUX, Inputs
from tests.integration import warehouse as a
from tests.integration.test_reader import LEGAL_BY_CODE

SEEDS = a.CLONE / "seeds"
OF_MUX = "distribuidora_id = 401 and ano = 2024"
LARGEST = "cod_id = '6254b8c1df9e276858724a73fcad226f246ae073d1c41ac1adb435ece6ebe7f3'"
MT = "select {} from marts.mart_lead where distribuidora_id = 401 and origem = 'UCMT'"
TO_MIGRATE = "score_migracao is not null and not optante_b"
PEAK = "select sum(energia_ponta_kwh) from intel_lead.lead_perfil where origem = '{}' and "
BILL = "select sum(c.{}) from marts.mart_custo_lead as c inner join marts.mart_lead as l"
BILL += f" using (uc_id, ano, distribuidora_id) where c.modalidade = '{{}}' and l.{LARGEST}"
CAPTIVE = BILL.replace(
    f"l.{LARGEST}",
    "l.origem = 'UCMT' and not l.livre and not l.optante_b and l.distribuidora_id = 401",
)
SAVED = "select sum(o.economia_brl_ano) from marts.mart_lead_oferta as o inner join marts.mart_lead"
SAVED += " as l using (uc_id, ano, distribuidora_id) where o.oferta = '{}' and {}"
SAVED += " and l.origem = 'UCMT' and not l.optante_b and l.distribuidora_id = 401"
FIGURES = [
    ("largest, energy", f"{MT.format('energia_anual_kwh')} and {LARGEST}", 21071835.88, 0.01),
    ("largest, peak", f"{MT.format('energia_ponta_kwh')} and {LARGEST}", 1950579.91, 0.01),
    ("largest, load factor", f"{MT.format('fator_carga')} and {LARGEST}", 0.6923, 5e-5),
    ("largest, demand ratio", f"{MT.format('razao_demanda')} and {LARGEST}", 1.0662, 5e-5),
    ("MT, peak", PEAK.format("UCMT") + OF_MUX, 3697538.01, 0.01),
    ("BT, peak", PEAK.format("UCBT") + OF_MUX, 6116622.84, 0.01),
    ("MT leads", MT.format("count(*)"), 37, 0),
    ("MT, free", f"{MT.format('count(*)')} and livre", 8, 0),
    ("MT, billed as B", f"{MT.format('count(*)')} and optante_b", 7, 0),
    ("MT, to migrate", f"{MT.format('count(*)')} and {TO_MIGRATE}", 22, 0),
    ("their energy", f"{MT.format('sum(energia_anual_kwh)')} and {TO_MIGRATE}", 2911603.87, 0.01),
    ("over contract", f"{MT.format('count(*)')} and razao_demanda > 1.05", 16, 0),
    ("under contract", f"{MT.format('count(*)')} and razao_demanda < 0.8", 5, 0),
    ("largest, verde", BILL.format("total_brl", "verde"), 12033715.84, 5),
    ("largest, verde: demand", BILL.format("demanda_brl", "verde"), 978162.50, 0.01),
    ("largest, verde: excess", BILL.format("ultrapassagem_brl", "verde"), 30625.00, 0.01),
    ("largest, verde: peak", BILL.format("ponta_brl", "verde"), 3472032.24, 0.01),
    ("largest, verde: off peak", BILL.format("fora_ponta_brl", "verde"), 7552896.11, 5),
    ("largest, verde: paid", BILL.format("distribuidora_brl", "verde"), 5571779.91, 2),
    (
        "largest, verde in January",
        f"{BILL.format('total_brl', 'verde')} and mes = 1",
        1011841.71,
        1,
    ),
    ("largest, azul", BILL.format("total_brl", "azul"), 12079652.06, 5),
    ("largest, azul: demand", BILL.format("demanda_brl", "azul"), 3301797.50, 0.01),
    ("largest, azul: excess", BILL.format("ultrapassagem_brl", "azul"), 103375.00, 0.01),
    ("largest, cost", f"{MT.format('custo_anual_brl')} and {LARGEST}", 12033715.84, 5),
    ("captive A4, verde", CAPTIVE.format("total_brl", "verde"), 2167692.27, 0.01),
    ("captive A4, azul", CAPTIVE.format("total_brl", "azul"), 3606664.75, 0.01),
    ("captive A4, verde: TE", CAPTIVE.format("te_brl", "verde"), 883542.64, 0.01),
    ("captive A4, migration", SAVED.format("migracao", "not l.livre"), 242989.79, 0.01),
    ("largest, battery", SAVED.format("arbitragem", f"l.{LARGEST}"), 2596487.85, 0.01),
    (
        "wholesale",
        "select count(*) from marts.mart_lead_oferta where distribuidora_id = 401"
        " and oferta = 'migracao' and via = 'atacado'",
        0,
        0,
    ),
]


@pytest.fixture(scope="module")
def conn(golden: a.Warehouse) -> Iterator[psycopg.Connection]:
    """A reader of the golden warehouse, here as the owner."""
    with golden.connect() as connection:
        yield connection


@pytest.fixture
def mux(golden_inputs: Mapping[str, Inputs]) -> Path:
    """MUX Energia's geodatabase."""
    if "mux" not in golden_inputs:
        pytest.skip(f"{MUX} is not there")
    return MUX


def table(conn: psycopg.Connection, query: str) -> pd.DataFrame:
    """What a query says."""
    rows = conn.execute(query)
    return pd.DataFrame(rows.fetchall(), columns=[c.name for c in rows.description])


# Figures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("query", "expected", "tolerance"), [f[1:] for f in FIGURES],
                         ids=[f[0] for f in FIGURES])  # fmt: skip
def test_a_figure_of_mux_is_as_worked_out_by_hand(
    mux: Path, conn: psycopg.Connection, query: str, expected: float, tolerance: float
) -> None:
    assert a.value(conn, query) == pytest.approx(expected, abs=tolerance)


def test_the_largest_units_january_and_its_curves_shares(
    mux: Path, conn: psycopg.Connection
) -> None:
    peak = "select energia_ponta_mes from intel_lead.lead_perfil as p"
    peak += f" inner join intel_lead.lead_bruto as l using (uc_id) where l.{LARGEST}"
    assert a.value(conn, peak)[0] == pytest.approx(166507.90, abs=0.01)
    shares = "select participacao from intel_lead.curva_participacao where chave = 'A4_1' and "
    found = a.value(conn, shares + OF_MUX)
    months = [found[m - 1] for m in (1, 2, 6, 12)]
    assert months == pytest.approx([0.09374, 0.09499, 0.08863, 0.09050], abs=5e-6)


def test_the_months_in_which_three_units_left_for_the_free_market(
    mux: Path, conn: psycopg.Connection
) -> None:
    rows = conn.execute(
        "select left(cod_id, 10), migrou_em::text from marts.mart_lead where migrou_em is not null"
        " and distribuidora_id = 401"
    )
    assert dict(rows.fetchall()) == {
        "d8e74bea72": "2024-12-01",
        "2599267620": "2024-10-01",
        "9966121111": "2024-10-01",
    }


def test_the_dates_from_which_units_may_leave(mux: Path, conn: psycopg.Connection) -> None:
    """By contracted demand in Grupo A, by class in low voltage."""
    rows = table(
        conn,
        "select origem, demanda_contratada_kw as kw, classe_consumo_id as classe, livre,"
        " mercado_livre_desde::text as desde from marts.mart_lead where distribuidora_id = 401",
    )
    steps = ((2500, "2019-07-01"), (2000, "2020-01-01"), (1500, "2021-01-01"))
    steps += ((1000, "2022-01-01"), (500, "2023-01-01"), (0, "2024-01-01"))
    for row in rows.itertuples():
        if row.origem == "UCMT":
            expected = next(day for least, day in steps if row.kw >= least)
        else:
            soon = row.classe == "IN" or row.classe.startswith("CO")
            expected = "2027-11-25" if soon else "2028-11-25"
        assert row.desde == expected, row
    assert (rows["desde"] == "2019-07-01").sum() == 1


def test_every_units_peak_energy_is_what_its_curve_says(
    mux: Path, conn: psycopg.Connection
) -> None:
    """The formula once more, by pandas, from the file: 18 to 21 h are the points 73 to 84."""
    with (SEEDS / "feriado.csv").open(encoding="utf-8") as file:
        holidays = {row["data"] for row in csv.DictReader(file)}
    days = pd.date_range("2024-01-01", "2024-12-31")
    kind = np.select(
        [days.strftime("%Y-%m-%d").isin(holidays) | (days.dayofweek == 6), days.dayofweek == 5],
        ["DO", "SA"],
        "DU",
    )
    count = pd.crosstab(days.month, kind)
    curves = pyogrio.read_dataframe(mux, layer="CRVCRG", read_geometry=False)
    points = [f"POT_{n:02d}" for n in range(1, 97)]
    energy = curves.set_index(["COD_ID", "TIP_DIA"])[points]
    whole, peak = energy.sum(axis=1).unstack(), energy[points[72:84]].sum(axis=1).unstack()
    share = {
        code: (
            count["DU"] * peak.loc[code, "DU"] / (count * whole.loc[code]).sum(axis=1)
        ).to_numpy()
        for code in whole.index
    }
    months = [f"ENE_{n:02d}" for n in range(1, 13)]
    expected: dict[str, float] = {}
    for layer in ("UCMT_tab", "UCBT_tab"):
        units = pyogrio.read_dataframe(mux, layer=layer, read_geometry=False)
        current = units.sort_values("SIT_ATIV").drop_duplicates("COD_ID").set_index("COD_ID")
        sums = units.groupby("COD_ID")[months].sum()
        for code, energy_of in zip(sums.index, sums.to_numpy(), strict=True):
            expected[f"{layer[:4]} {code}"] = float(energy_of @ share[current.TIP_CC[code]])
    query = (
        "select l.origem || ' ' || l.cod_id, p.energia_ponta_kwh from intel_lead.lead_perfil as p"
    )
    query += " inner join intel_lead.lead_bruto as l using (uc_id, ano, distribuidora_id) where "
    found = dict(conn.execute(query + OF_MUX).fetchall())
    assert found.keys() == expected.keys()
    assert [found[k] for k in expected] == pytest.approx(list(expected.values()), abs=1e-6)


# Scores -------------------------------------------------------------------------------------------


def test_every_score_is_what_the_weights_make_of_the_values(conn: psycopg.Connection) -> None:
    """Percentile ranks by pandas, of all leads of all safras; contributions sum to the score."""
    rows = table(
        conn,
        "select k.*, s.grupo_comparacao, s.score, s.percentil from marts.mart_lead_criterio as k"
        " inner join marts.mart_lead_score as s using (uc_id, oferta)",
    )
    weights = table(conn, "select * from intel_lead.peso_criterio").set_index("id").to_dict("index")
    key = rows["oferta"] + ":" + rows["criterio"]
    rows["weight"] = [weights[k]["peso"] for k in key]
    cell = ["distribuidora_id", "ano", "oferta", "criterio", "grupo_comparacao"]
    # Values that differ in the last digit of a sum alone are ties.
    valued = rows.assign(valor=rows["valor"].round(6)).groupby(cell)["valor"]
    rank = (valued.rank(method="average") - 0.5) / valued.transform("count")
    less = np.array([weights[k]["direcao"] == "menor" for k in key])
    expected = rank.where(~less, 1 - rank).fillna(0)
    assert np.allclose(rows["valor_normalizado"], expected, atol=1e-12)
    assert np.allclose(
        rows["contribuicao"].astype(float), 100 * rows["weight"] * expected, atol=6e-7
    )
    sums = rows.groupby(["uc_id", "oferta"]).agg(
        total=("contribuicao", "sum"), score=("score", "first"), criteria=("criterio", "count")
    )
    assert (sums["total"] == sums["score"]).all()
    assert set(rows["oferta"]) == {"migracao", "arbitragem", "backup", "gtd", "eficiencia"}
    assert len(rows) == sum(
        sum(1 for k in weights if k.startswith(f"{offer}:")) * n
        for offer, n in sums.reset_index()["oferta"].value_counts().items()
    )


def test_more_of_what_counts_never_lowers_a_contribution(conn: psycopg.Connection) -> None:
    worse = """
        select count(*) from (
            select
                contribuicao - lag(contribuicao) over w as step,
                valor - lag(valor) over w as more,
                p.direcao
            from marts.mart_lead_criterio as k
            inner join marts.mart_lead_score as s using (uc_id, oferta)
            inner join seeds.oferta_criterio as p on p.oferta_id = oferta and criterio_id = criterio
            where valor is not null
            window w as (
                partition by k.ano, k.distribuidora_id, oferta, criterio, s.grupo_comparacao
                order by valor
            )
        ) as t
        where case direcao when 'menor' then -step else step end < 0 or more = 0 and step <> 0
    """
    assert a.value(conn, worse) == 0


def test_each_legal_persons_unit_is_scored_or_excluded_with_a_reason(
    conn: psycopg.Connection,
) -> None:
    """Per offer, one of the two; the reasons are true of the unit."""
    both = """
        select l.uc_id, o.id as oferta, s.uc_id is not null as scored, x.motivo,
            l.situacao_uc_id, l.livre, p.energia_anual_kwh
        from intel_lead.lead_bruto as l
        cross join seeds.oferta as o
        inner join intel_lead.lead_perfil as p using (uc_id)
        left join marts.mart_lead_score as s on l.uc_id = s.uc_id and o.id = s.oferta
        left join marts.lead_excluido as x on l.uc_id = x.uc_id and o.id = x.oferta
        where """
    rows = table(conn, both + LEGAL_BY_CODE)
    assert (rows["scored"] == rows["motivo"].isna()).all()
    off = rows["situacao_uc_id"] == "DS"
    assert ((rows["motivo"] == "Unidade desativada") == off).all()
    none = ~(rows["energia_anual_kwh"] > 0) & ~off
    assert ((rows["motivo"] == "Sem energia no ano") == none).all()
    free = (rows["oferta"] == "migracao") & rows["livre"].fillna(False) & ~off & ~none
    assert ((rows["motivo"] == "Já no mercado livre") == free).all()
    assert off.any() and none.any() and free.any()


def test_a_reason_is_a_sentence_with_its_figure_in_portuguese(
    mux: Path, conn: psycopg.Connection
) -> None:
    first = a.value(
        conn,
        "select motivo_1 from marts.mart_lead_score where oferta = 'migracao' and posicao = 1"
        " and distribuidora_id = 401 and grupo_comparacao = 'MT'",
    )
    assert first == "Consome 623.700 kWh por ano, mais que 98 % do grupo"
    peak = a.value(
        conn,
        "select motivo_1 || motivo_2 || motivo_3 from marts.mart_lead_score as s inner join"
        f" marts.mart_lead as l using (uc_id) where s.oferta = 'arbitragem' and l.{LARGEST}",
    )
    assert "Consome 1.950.580 kWh por ano na ponta" in peak
    assert "Economizaria R$ 2.596.488 por ano" in peak
    assert peak.endswith("Sem dado, contam 0: área estratégica, inadimplência média da região")
    reasons = table(conn, "select motivo_1, motivo_2, motivo_3 from marts.mart_lead_score")
    said = reasons.stack()
    assert said.str.contains(r"\d").all()
    assert not said.str.contains(r"[{}]|\d\.\d(?!\d\d)|mais que 100 %").any()


def test_what_a_lead_is_not_is_no_reason_to_call_it(conn: psycopg.Connection) -> None:
    rows = table(
        conn,
        "select concat_ws('; ', motivo_1, motivo_2, motivo_3) as said, l.possui_geracao, c.valor"
        " from marts.mart_lead_score as s"
        " inner join marts.mart_lead_safra as l using (uc_id, ano, distribuidora_id)"
        " left join marts.mart_lead_criterio as c on c.uc_id = s.uc_id and c.oferta = s.oferta"
        " and c.criterio = 'segmento_industrial'",
    )
    generates = rows["said"].str.contains("Já tem geração própria")
    makes = rows["said"].str.contains("É da indústria")
    assert generates.any() and makes.any()
    assert rows.loc[generates, "possui_geracao"].all()
    assert (rows.loc[makes, "valor"].astype(float) == 1).all()


def test_a_battery_shifts_the_peak_of_a_weekday(mux: Path, conn: psycopg.Connection) -> None:
    """Of the month that asks most: over 0.90 × √0.88, in three hours, at 4,000 R$/kWh."""
    row = conn.execute(
        "select o.potencia_kw, o.capacidade_kwh, o.investimento_brl from marts.mart_lead_oferta as"
        f" o inner join marts.mart_lead using (uc_id) where oferta = 'arbitragem' and {LARGEST}"
    ).fetchone()
    assert row is not None
    monthly = a.value(
        conn,
        "select energia_ponta_mes from intel_lead.lead_perfil as p"
        f" inner join intel_lead.lead_bruto as l using (uc_id) where l.{LARGEST}",
    )
    weekdays = [22, 21, 20, 22, 21, 20, 23, 22, 21, 23, 19, 21]
    daily = max(kwh / days for kwh, days in zip(monthly, weekdays, strict=True))
    assert row == (
        pytest.approx(daily / 3),
        pytest.approx(daily / (0.90 * 0.88**0.5)),
        pytest.approx(4000 * daily / (0.90 * 0.88**0.5)),
    )


# Vintages -----------------------------------------------------------------------------------------


def vintage(folder: Path, year: int) -> Path:
    """404's file of another year: the same units, most of them."""
    faults = ["at_ds", "cnae_invalido", "codigo_fora_do_dominio", "pn_con_orfao"]
    return generate(folder / f"{year}.gdb.zip", ucs=200, distribuidora=404, ano=year, faults=faults)


def test_an_older_vintage_that_lands_later_is_history_and_the_newest_is_shown(
    warehouse: a.Warehouse, tmp_path: Path
) -> None:
    """404-2023 after 404-2024: mart_lead stays; each unit stands beside what it was."""
    older = vintage(tmp_path, 2023)
    with warehouse.connect() as conn:
        before = a.contents(conn, "marts.mart_lead")
        assert a.value(conn, "select count(*) from marts.mart_lead_historico") == 0
        assert warehouse.load(older).ok
        done = warehouse.build()
        assert done.ok, done.trouble
        assert a.contents(conn, "marts.mart_lead") == before
        leads = table(conn, "select * from marts.mart_lead_safra where distribuidora_id = 404")
        now, then = leads[leads["ano"] == 2024], leads[leads["ano"] == 2023]
        pairs = now.merge(then, on=["origem", "cod_id"], how="left", suffixes=("", "_then"))
        found = table(conn, "select * from marts.mart_lead_historico").set_index("uc_id")
        assert set(found.index) == set(now["uc_id"])
        kept = pairs["uc_id_then"].notna()
        assert 0.5 < kept.mean() < 1
        assert np.allclose(found["parte_encontrada"], kept.mean())
        pairs = pairs[kept].set_index("uc_id")
        beside = found.loc[pairs.index]
        assert (beside["uc_id_anterior"] == pairs["uc_id_then"]).all()
        grown = 100 * (pairs["energia_anual_kwh"] / pairs["energia_anual_kwh_then"] - 1)
        known = pairs["energia_anual_kwh_then"] > 0
        assert np.allclose(beside["variacao_energia_pct"][known], grown[known])


def test_a_leads_trend_rests_on_every_vintage_that_is_published(
    warehouse: a.Warehouse, tmp_path: Path
) -> None:
    """404-2023 and 2022 after 2024: one build later all know them; least squares by numpy.

    Whatever was built of which vintage, and once it is known nothing is pending.
    """
    for year in (2023, 2022):
        assert warehouse.load(vintage(tmp_path, year)).ok
    for _ in range(2):
        done = warehouse.build()
        assert done.ok, done.trouble
    with warehouse.connect() as conn:
        years = table(
            conn,
            "select l.origem::text as layer, l.cod_id, p.ano, p.energia_anual_kwh as kwh,"
            " (select count(*) from unnest(p.energia_mes) as m where m > 0) as months"
            " from intel_lead.lead_perfil as p inner join intel_lead.lead_bruto as l using (uc_id)"
            " where p.distribuidora_id = 404 order by p.ano",
        )
        units = years[years["months"] >= 10].groupby(["layer", "cod_id"])
        for year in (2022, 2023, 2024):
            shown = table(
                conn,
                "select origem::text, cod_id, tendencia_pct_ano, tendencia_safras"
                f" from marts.mart_lead_safra where (distribuidora_id, ano) = (404, {year})",
            )
            expected = {}
            for key, rows in units:
                of = rows[rows["ano"] <= year]
                if len(of) > 1 and of["ano"].max() == year:
                    slope = np.polyfit(of["ano"] - 2022, of["kwh"].astype(float), 1)[0]
                    expected[key] = (100 * slope / of["kwh"].mean(), len(of))
            keys = shown.iloc[:, :2].itertuples(index=False, name=None)
            mine = [expected.get(key, (np.nan, np.nan)) for key in keys]
            found = shown.iloc[:, 2:].to_numpy(dtype=float)
            assert np.allclose(found, np.array(mine), rtol=1e-8, atol=1e-9, equal_nan=True)
            rested = {2022: set(), 2023: {2}, 2024: {2, 3}}[year]
            assert set(shown["tendencia_safras"].dropna()) == rested
        built = "select modelo, ano, construida_em from controle.safra_construida order by 1, 2, 3"
        before = conn.execute(built).fetchall()
        assert warehouse.build().ok
        assert conn.execute(built).fetchall() == before


# Privacy ------------------------------------------------------------------------------------------


def test_no_mart_has_a_row_of_a_natural_persons_unit(conn: psycopg.Connection) -> None:
    """Told apart by the codes of the files; whatever in marts has a uc_id is looked through."""
    natural = (
        f"select l.uc_id from intel_lead.lead_bruto as l where not coalesce({LEGAL_BY_CODE}, false)"
    )
    assert a.value(conn, f"select count(*) from ({natural}) as n") > 10000
    with_uc = "select format('%I.%I', table_schema, table_name) from information_schema.columns"
    with_uc += " where table_schema = 'marts' and column_name = 'uc_id' order by 1"
    names = [name for (name,) in conn.execute(with_uc)]
    assert {"marts.mart_lead", "marts.mart_lead_criterio", "marts.lead_excluido"} <= set(names)
    for name in names:
        assert a.value(conn, f"select count(*) from {name} where uc_id in ({natural})") == 0, name


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("geom && st_makeenvelope(-52, -28, -51, -27, 4674)", "geom"),
        ("municipio_id = 4309803", "municipio_id"),
        ("segmento_mercado_id = 'COMERCIO'", "segmento_mercado_id"),
        ("demanda_contratada_kw between 500 and 600", "demanda_contratada_kw"),
        ("melhor_oferta = 'gtd' and melhor_score > 99", "melhor_oferta"),
    ],
)
def test_a_filter_of_the_leads_finds_its_index(
    conn: psycopg.Connection, condition: str, index: str
) -> None:
    """Through the view too: what stands between the filter and the table costs no index."""
    with conn.transaction():
        conn.execute("set local enable_seqscan = off")
        rows = conn.execute(f"explain select * from marts.mart_lead where {condition}")
        assert f"_{index}_" in "".join(line for (line,) in rows)


def test_the_median_of_a_small_conjunto_is_nobodys(conn: psycopg.Connection) -> None:
    """Of fewer than five units it is not said."""
    shown = """
        select count(*) filter (where n < 5 and l.dic_mediana_conjunto_h is not null),
            count(*) filter (where n >= 5 and l.dic_mediana_conjunto_h is not null)
        from intel_lead.lead_mercado as l
        inner join (
            select ano, distribuidora_id, conjunto_id, count(*) as n
            from intel_lead.lead_bruto group by 1, 2, 3
        ) as c using (ano, distribuidora_id, conjunto_id)
    """
    small, others = conn.execute(shown).fetchone()
    assert small == 0 < others


# Seeds --------------------------------------------------------------------------------------------


def test_what_failed_by_a_seed_is_built_again_when_the_seed_is_mended(
    warehouse: a.Warehouse,
) -> None:
    seeds = warehouse.project.folder / "seeds"
    weights, profiles = (seeds / f"{name}.csv" for name in ("oferta_criterio", "perfil_centro"))
    good, names = (file.read_text(encoding="utf-8") for file in (weights, profiles))
    weights.write_text(re.sub(r"(,energia_sobre_pares),0\.40", r"\1,0.90", good), encoding="utf-8")
    profiles.write_text(names.replace('"Residencial, ', '"Casa, '), encoding="utf-8")
    warehouse.project.parse()
    assert not warehouse.build(*a.ALL).ok
    failed, told = (
        "select count(*) from controle.safra_reprovada",
        "select count(*) from marts.mart_perfil_consumo where perfil like 'Casa, %%'",
    )
    with warehouse.connect() as conn:
        assert a.value(conn, failed) > 0
        assert a.value(conn, told) == 0
        weights.write_text(good, encoding="utf-8")
        warehouse.project.parse()
        done = warehouse.build(*a.ALL)
        assert done.ok, done.trouble
        assert a.value(conn, failed) == 0
        assert a.value(conn, told) > 0
        profiles.write_text(names, encoding="utf-8")
        warehouse.project.parse()
        assert warehouse.build(*a.ALL).ok


def test_a_changed_weight_moves_ranks_and_leaves_leads_as_they_were(warehouse: a.Warehouse) -> None:
    """`make build` after an edit: only what reads the seed is built, and nothing lands again."""
    built = (
        "select modelo, construida_em from controle.safra_construida where distribuidora_id = 401"
    )
    ranks = "select uc_id, posicao from marts.mart_lead_score where oferta = 'eficiencia'"
    # Two vintages that an earlier test built in one command meet in the next build.
    assert warehouse.build(*a.ALL).ok
    with warehouse.connect() as conn:
        before = a.contents(conn)
        leaves, first = dict(conn.execute(built)), dict(conn.execute(ranks))
        seed = warehouse.project.folder / "seeds/oferta_criterio.csv"
        text = seed.read_text(encoding="utf-8")
        heavy = re.sub(r"(,energia_sobre_pares),0\.40", r"\1,0.10", text)
        heavy = re.sub(r"(eficiencia:fator_carga,eficiencia,fator_carga),0\.10", r"\1,0.40", heavy)
        assert heavy != text
        seed.write_text(heavy, encoding="utf-8")
        warehouse.project.parse()
        done = warehouse.build(*a.ALL)
        assert done.ok, done.trouble
        again, second, after = (
            dict(conn.execute(built)),
            dict(conn.execute(ranks)),
            a.contents(conn),
        )
        moved = {model for model in leaves if leaves[model] != again[model]}
        assert moved == {
            "mart_lead_criterio",
            "mart_lead_score",
            "mart_lead_score_mudanca",
            "mart_lead_safra",
            "mart_lead_celula",
            "safra_celula_oferta",
        }
        assert first.keys() == second.keys()
        assert sum(first[uc] != second[uc] for uc in first) > len(first) / 4
        changed = {name for name in before if before[name] != after[name]}
        rollups = {name for name in changed if name.startswith("marts.resumo_")}
        assert "marts.resumo_classe" in rollups
        assert not rollups & {"marts.resumo_camada", "marts.resumo_classe_mes"}
        assert changed - rollups == {
            "intel_lead.peso_criterio",
            "intel_lead.safra_celula_oferta",
            "marts.mart_lead_criterio",
            "marts.mart_lead_score",
            "marts.mart_lead_safra",
            "marts.mart_lead_celula",
            "marts.mart_lead",
        }
        changes = table(conn, "select * from marts.mart_lead_score_mudanca").set_index("uc_id")
        assert set(changes["oferta"]) == {"eficiencia"}
        assert set(changes["motivo"]) == {
            "Pesos: energia sobre a mediana dos pares de 0,4 para 0,1,"
            " fator de carga de 0,1 para 0,4"
        }
        kept = changes.index[changes["posicao_antes"] == changes["posicao_agora"]]
        assert {uc for uc in first if first[uc] != second[uc]} == set(changes.index) - set(kept)
        for side, ranked in (("posicao_antes", first), ("posicao_agora", second)):
            assert changes[side].to_dict() == {uc: ranked[uc] for uc in changes.index}
        # What is built again and moves nobody leaves the last change to be looked at.
        done = warehouse.build(safra="404-2024")
        assert done.ok, done.trouble
        assert a.contents(conn) == after
        still = table(conn, "select * from marts.mart_lead_score_mudanca").set_index("uc_id")
        assert still.sort_index().equals(changes.sort_index())
