"""Tariffs: a bill once more by pandas, whose safras a changed price builds, what is refused.

Not here: MUX's figures (test_leads.py), one rule on made-up rows (dbt's unit tests), landing
(test_open_data.py).
"""

import calendar
import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
import pytest
from dbt.contracts.graph.manifest import Manifest

from dagster_pipeline import manifest
from loaders import ledger
from tests.golden.inputs import TARIFFS
from tests.integration import warehouse as a
from tests.integration.conftest import land_tariffs
from tests.integration.test_leads import table

READ = {
    "tarifa_mensal",
    "mart_custo_lead",
    "mart_lead_oferta",
    "mart_lead_criterio",
    "mart_lead_score",
    "mart_lead_score_mudanca",
    "mart_lead_safra",
    "mart_lead_celula",
    "safra_celula_oferta",
}
"""Tables that a tariff is in, or hangs on."""
BUILD = ("--select", "tarifa_vigente", "tarifa_recusada", *a.SAFRAS[1:])
CHANGE = date(2024, 6, 22)
NOT_APPLICABLE = "Não se aplica"

# Of 401 the year in two tariffs, of 404 in one; R$/kW and R$/MWh: verde, azul, B3.
PRICES = [
    ("MUXENERGIA", date(2023, 6, 22), CHANGE - timedelta(days=1), 1.0),
    ("MUXENERGIA", CHANGE, None, 1.25),
    ("Energisa MS", date(2024, 1, 1), date(2024, 12, 31), 2.0),
]
PARTS = [
    ("A4", "VERDE", "não se aplica", "kW", 20.5, 0.0),
    ("A4", "Verde", "PONTA", "R$/MWh", 1300.0, 470.0),
    ("A4", "verde", "Fora Ponta", "MWh", 105.0, 290.0),
    ("A4", "Azul", "Ponta", "kW", 58.25, 0.0),
    ("A4", "Azul", "Fora ponta", "kW", 24.5, 0.0),
    ("A4", "Horária Azul", "Ponta", "kWh", 0.105, 0.47),
    ("A4", "Azul", "Fora ponta", "MWh", 105.0, 290.0),
    ("B3", "Convencional", "", "MWh", 420.0, 310.0),
]


def write(path: Path, prices: list[tuple], *more: dict[str, str]) -> Path:
    """A file of tariffs, in the layout and the encoding that ANEEL has had."""
    with TARIFFS.open(encoding="utf-8") as file:
        header = next(csv.reader(file, delimiter=";"))
    with path.open("w", encoding="latin-1", newline="") as file:
        out = csv.DictWriter(file, header, delimiter=";", restval=NOT_APPLICABLE)
        out.writeheader()
        for n, (agent, first, last, factor) in enumerate(prices, 1):
            common = {
                "DatGeracaoConjuntoDados": "2024-07-01",
                "DscREH": f"RESOLUÇÃO HOMOLOGATÓRIA Nº 3.{n:03d}, EXEMPLO",
                "SigAgente": agent,
                "NumCNPJDistribuidora": "",
                "DatInicioVigencia": first,
                "DatFimVigencia": last or "",
                "DscBaseTarifaria": "Tarifa de Aplicação",
            }
            for group, kind, post, unit, tusd, te in PARTS:
                row = common | {
                    "DscSubGrupo": group,
                    "DscModalidadeTarifaria": kind,
                    "NomPostoTarifario": post,
                    "DscUnidadeTerciaria": unit,
                    "VlrTUSD": f"{tusd * factor:.6f}".replace(".", ","),
                    "VlrTE": f"{te * factor:.6f}".replace(".", ",") if te else "",
                }
                out.writerow(row)
        for changes in more:
            out.writerow(row | changes)
    return path


@pytest.fixture(scope="module")
def priced(warehouse: a.Warehouse, tmp_path_factory: pytest.TempPathFactory) -> a.Warehouse:
    """Both safras with tariffs; with them rows that no price can be made of."""
    unusable = [
        {"SigAgente": "Luz do Além"},
        {"DscModalidadeTarifaria": "Convencional pré-pagamento"},
        {"VlrTE": ""},
        {"DscBaseTarifaria": "Base Econômica", "VlrTUSD": "1,00"},
    ]
    path = write(tmp_path_factory.mktemp("tarifas") / "tarifas.csv", PRICES, *unusable)
    land_tariffs(warehouse, path)
    done = warehouse.build(*BUILD)
    assert done.ok, done.trouble
    return warehouse


@pytest.fixture(scope="module")
def conn(priced: a.Warehouse) -> Iterator[psycopg.Connection]:
    """A reader of it."""
    with priced.connect() as connection:
        yield connection


def factor(agent: str, month: int) -> float:
    """What a month's prices are times: the mean over its days."""
    days = calendar.monthrange(2024, month)[1]
    of_day = [
        next(
            x for name, first, last, x in reversed(PRICES)
            if name == agent and first <= date(2024, month, day) <= (last or date.max)
        )
        for day in range(1, days + 1)
    ]  # fmt: skip
    return sum(of_day) / days


def price(kind: str, post: str, *, energy: bool) -> np.ndarray:
    """TUSD and TE in R$/kWh or R$/kW at factor 1."""
    (found,) = (
        (tusd, te, unit)
        for _, name, at, unit, tusd, te in PARTS
        if name.lower().endswith(kind) and at.lower() == post and unit.endswith("h") == energy
    )
    return np.array(found[:2]) / (1000 if found[2].endswith("MWh") else 1)


def bill(unit: pd.Series, kind: str, month: int) -> dict[str, float]:
    """REN ANEEL 1.000/2021, by the file's own months."""
    times = factor({401: "MUXENERGIA", 404: "Energisa MS"}[unit.distribuidora_id], month)
    energy, measured = unit.energia_mes[month - 1], 0.0
    if kind == "convencional":
        parts = {"fora_ponta": energy * price(kind, "", energy=True)}
    else:
        peak = unit.energia_ponta_mes[month - 1]
        parts = {
            "ponta": peak * price(kind, "ponta", energy=True),
            "fora_ponta": (energy - peak) * price(kind, "fora ponta", energy=True),
        }
        measured = unit.demanda_total[month - 1]
    posts = {"verde": ["não se aplica"], "azul": ["ponta", "fora ponta"]}.get(kind, [])
    kw = sum(price(kind, post, energy=False)[0] for post in posts)
    contract = unit.demanda_contratada_kw or 0
    excess = measured - contract if contract and measured > 1.05 * contract else 0
    found = {
        "demanda": times * kw * max(measured, contract),
        "ultrapassagem": times * kw * 2 * excess,
        **{name: times * part.sum() for name, part in parts.items()},
    }
    te = times * sum(part[1] for part in parts.values())
    left = unit.livre and (unit.migrou_em is None or date(2024, month, 1) >= unit.migrou_em)
    found["total"] = sum(found.values())
    return found | {"te": te, "distribuidora": found["total"] - (te if left else 0)}


def test_every_bill_is_what_pandas_makes_of_the_months(conn: psycopg.Connection) -> None:
    """Units with tariffs, each month and modality; June of 401 counts 21 days and 9."""
    assert factor("MUXENERGIA", 6) == pytest.approx((21 * 1.0 + 9 * 1.25) / 30)
    units = table(
        conn,
        "select m.*, s.demanda_total from intel_lead.lead_mercado as m"
        " inner join intel_lead.lead_serie as s using (uc_id)"
        " where not desativada and (m.optante_b or m.origem = 'UCBT')"
        " = (m.subgrupo_tarifario_id = 'B3') and m.subgrupo_tarifario_id in ('A4', 'B3')",
    )
    found = table(conn, "select * from marts.mart_custo_lead").set_index(
        ["uc_id", "modalidade", "mes"]
    )
    expected = {
        (unit.uc_id, kind, month): bill(unit, kind, month)
        for unit in units.itertuples()
        for kind in (["convencional"] if unit.subgrupo_tarifario_id == "B3" else ["verde", "azul"])
        for month in range(1, 13)
    }
    assert set(found.index) == set(expected)
    assert {kind for _, kind, _ in expected} == {"verde", "azul", "convencional"}
    assert {unit.distribuidora_id for unit in units.itertuples()} == {401, 404}
    right = pd.DataFrame.from_dict(expected, orient="index").fillna(0).add_suffix("_brl")
    there = found.loc[right.index, right.columns].astype(float)
    assert np.allclose(there, right, rtol=1e-9, atol=1e-6)
    assert (right["ultrapassagem_brl"] > 0).any()
    two = found.xs("convencional", level="modalidade").xs(6, level="mes")["tarifa"]
    assert set(two) == {"B3 desde 22/06/2023 e 22/06/2024", "B3 desde 01/01/2024"}


def test_a_lead_costs_a_year_in_its_cheaper_modality(conn: psycopg.Connection) -> None:
    wrong = (
        "select count(*) from marts.mart_lead as l left join lateral (select min(t) as least from"
        " (select sum(total_brl) as t from marts.mart_custo_lead as c where c.uc_id = l.uc_id"
        " group by modalidade) as m) as c on true where l.custo_anual_brl is distinct from c.least"
    )
    assert a.value(conn, wrong) == 0
    assert a.value(conn, "select count(custo_anual_brl) from marts.mart_lead") > 0


def test_what_is_no_price_is_listed_with_a_reason_and_nothing_is_lost(
    conn: psycopg.Connection,
) -> None:
    """Counted in raw: each row of the paid base is a price or refused; here none is superseded."""
    rows = conn.execute("select motivo, sig_agente from intel_lead.tarifa_recusada order by linha")
    reasons = [(reason.split(":")[0], agent) for reason, agent in rows]
    assert reasons == [
        ("Distribuidora sem código", "Luz do Além"),
        ("Modalidade que não é azul, verde, branca nem convencional", "Energisa MS"),
        ("Sem preço", "Energisa MS"),
    ]
    landed = "select count(*) from raw.aberto_tarifas where dscbasetarifaria like 'Tarifa%%'"
    prices = a.value(conn, "select count(*) from intel_lead.tarifa_vigente")
    assert a.value(conn, landed) == prices + len(reasons) == len(PRICES) * len(PARTS) + 3


def built(conn: psycopg.Connection) -> set[tuple[str, int, int, str]]:
    """Every leaf and when it was built."""
    rows = conn.execute(
        "select modelo, distribuidora_id, ano, construida_em::text from controle.safra_construida"
    )
    return set(rows.fetchall())


def test_a_year_has_the_tariffs_of_its_first_and_of_its_last_day(
    priced: a.Warehouse, conn: psycopg.Connection
) -> None:
    """What ends on the day before, or begins on the day after, is of another year."""
    parsed = Manifest.from_msgpack(priced.project.manifest.read_bytes())
    condition = parsed.nodes["model.intel_lead.tarifa_vigente"].config.meta["da_safra"]
    ask = "select controle.parte_da_safra('vigencias', %s, 2024, 401)"
    part = a.value(conn, ask, [condition])
    days = """
        with vigencias (nome, distribuidora_id, inicio, fim) as (values
            ('de antes', 401, date '2023-01-01', date '2023-12-31'),
            ('até o primeiro dia', 401, date '2023-01-02', date '2024-01-01'),
            ('desde o último', 401, date '2024-12-31', null),
            ('de depois', 401, date '2025-01-01', null),
            ('de outra', 404, date '2024-01-01', null)
        )
    """
    names = conn.execute(f"{days} select nome from {part} as v order by nome").fetchall()
    assert names == [("até o primeiro dia",), ("desde o último",)]


def test_a_changed_price_builds_its_own_distributors_year_and_what_reads_it(
    priced: a.Warehouse, conn: psycopg.Connection, tmp_path: Path
) -> None:
    """404's price, and one of 401's of 2021: of 404-2024 the tables it is in, and no other."""
    before, landed = built(conn), ledger.open_data(conn)
    last = ("Energisa MS", date(2024, 1, 1), date(2024, 12, 31), 2.5)
    prices = [*PRICES[:2], last, ("MUXENERGIA", date(2021, 1, 1), date(2021, 12, 31), 9.0)]
    land_tariffs(priced, write(tmp_path / "t.csv", prices))
    assert manifest.built_as(ledger.open_data(conn)) != manifest.built_as(landed)
    done = priced.build(*BUILD)
    assert done.ok, done.trouble
    moved = built(conn) - before
    assert {(model, utility, year) for model, utility, year, _ in moved} == {
        (model, 404, 2024) for model in READ
    }
    total = "select sum(total_brl) from marts.mart_custo_lead where distribuidora_id = 404"
    assert a.value(conn, total) > 0
