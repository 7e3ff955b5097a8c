"""The synthetic release: claims about its shape, its distributions and each of its faults.

Belongs here: what can be read back from the geodatabase without a database. Not here: loading it.
"""

import csv
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
import typer
from typer.testing import CliRunner

from loaders.bdgd.layers import ALL_LAYERS
from loaders.synthetic.command import command
from loaders.synthetic.recipe import MUNICIPIOS, USUAL, Fault, Model, Recipe, Summary
from loaders.synthetic.writer import generate, list_of, write

SEEDS = Path(__file__).parents[2] / "seeds"
MUX = Path(__file__).parents[3] / "shared/data/Mux_Energia_401_2024-12-31_V11_20250806-1857.gdb.zip"
UCS = 2000
ENE = [f"ENE_{m:02d}" for m in range(1, 13)]
ENERGY = {"UCBT": ("ENE",), "UCMT": ("ENE",), "UCAT": ("ENE_P", "ENE_F")}
M10_UCBT = (
    "DIST PAC CEG PN_CON UNI_TR_D CTMT UNI_TR_S SUB CONJ MUN BRR CEP CLAS_SUB CNAE TIP_CC FAS_CON "
    "GRU_TEN TEN_FORN GRU_TAR SIT_ATIV DAT_CON CAR_INST LIV ENE_01 ENE_02 ENE_03 ENE_04 ENE_05 "
    "ENE_06 ENE_07 ENE_08 ENE_09 ENE_10 ENE_11 ENE_12 DIC FIC SEMRED DESCR ARE_LOC COD_ID"
)
"""EFLUL 2020, an M10 release."""

Gdb = Callable[..., Path]


def layers(gdb: Path) -> list[str]:
    return sorted(pyogrio.list_layers(gdb)[:, 0])


def read(gdb: Path, layer: str) -> pd.DataFrame:
    called = {n.upper().removesuffix("_TAB"): n for n in layers(gdb)}
    names = next((known.names for known in ALL_LAYERS if known.name == layer), (layer,))
    (name,) = [called[n] for n in names if n in called]
    table = pyogrio.read_dataframe(gdb, layer=name)
    return table.rename(columns=lambda c: c if c == "geometry" else c.upper())


def energy(table: pd.DataFrame, layer: str) -> np.ndarray:
    return sum(
        table[[f"{p}_{m:02d}" for m in range(1, 13)]].to_numpy().sum(axis=0) for p in ENERGY[layer]
    )


@pytest.fixture(scope="module")
def gdb(tmp_path_factory: pytest.TempPathFactory) -> Gdb:
    """Makes a release once per distinct set of arguments."""
    folder, ready = tmp_path_factory.mktemp("sintetico"), {}

    def make(*faults: str, **arguments: object) -> Path:
        key = (frozenset(faults), *sorted(arguments.items()))
        if key not in ready:
            target = folder / f"{len(ready)}.gdb"
            ready[key] = generate(target, faults=faults, **{"ucs": UCS} | arguments)
        return ready[key]

    return make


@pytest.mark.parametrize("model", ["M10", "V11"])
def test_summary_says_what_the_file_holds(tmp_path: Path, model: Model) -> None:
    faults = USUAL | {Fault.COD_ID_EM_BRANCO, Fault.ENERGIA_NEGATIVA}
    summary: Summary = write(Recipe(ucs=UCS, model=model, faults=faults), tmp_path / "x.gdb.zip")
    assert set(summary.rows) == {layer.name for layer in ALL_LAYERS}
    for layer, rows in summary.rows.items():
        assert len(read(summary.file, layer)) == rows
        # One high-voltage unit in 2,000 seldom has generation of its own.
        assert rows > 0 or layer == "UGAT"
    for layer, kwh in summary.kwh.items():
        table = read(summary.file, layer)
        np.testing.assert_allclose(energy(table, layer), kwh, rtol=1e-12)
        assert table.COD_ID[table.COD_ID != " "].nunique() == summary.ucs[layer]


def test_equal_recipe_gives_equal_bytes_and_another_seed_other_ucs(tmp_path: Path) -> None:
    um, two, other = (
        generate(tmp_path / folder / "x.gdb.zip", ucs=200, seed=seed, faults=USUAL)
        for folder, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert hashlib.sha256(um.read_bytes()).digest() == hashlib.sha256(two.read_bytes()).digest()
    assert set(read(um, "UCBT").COD_ID).isdisjoint(read(other, "UCBT").COD_ID)


def test_m10_columns_are_those_of_an_m10_release(gdb: Gdb) -> None:
    m10 = gdb(model="M10", ano=2020)
    assert list(pyogrio.read_info(m10, layer="UCBT_tab")["fields"]) == M10_UCBT.split()
    assert len(pyogrio.read_info(m10, layer="UCAT_tab")["fields"]) == 74
    assert len(pyogrio.read_info(m10, layer="UCMT_tab")["fields"]) == 52
    assert len(pyogrio.read_info(m10, layer="PONNOT")["fields"]) == 23
    assert list(pyogrio.read_info(m10, layer="CONJ")["fields"][:3]) == ["COD_ID", "DIST", "NOM"]


@pytest.mark.skipif(not MUX.exists(), reason="the real release is not beside the clone")
@pytest.mark.parametrize("layer", ["BASE", "CONJ", "PONNOT", "UCAT_tab", "UCMT_tab", "UCBT_tab"])
def test_v11_layer_is_declared_as_in_the_real_release(gdb: Gdb, layer: str) -> None:
    def declared(file: Path) -> tuple[object, ...]:
        with pyogrio.open_arrow(file, layer=layer, use_pyarrow=True) as (meta, reader):
            schema_fields = [
                (c.name, c.type, (c.metadata or {}).get(b"GDAL:OGR:width"))
                for c in reader.schema
                if c.name != "Shape"
            ]
        return (
            schema_fields,
            meta["crs"],
            meta["geometry_type"],
            meta["geometry_name"],
            meta["fid_column"],
        )

    assert declared(gdb()) == declared(MUX)


def test_every_pn_con_of_a_clean_release_is_a_pole_in_its_municipio(gdb: Gdb) -> None:
    poles = read(gdb(), "PONNOT").set_index("COD_ID")
    assert poles.index.is_unique
    assert not poles.geometry.duplicated().any()
    assert poles.crs.to_epsg() == 4674
    for m in MUNICIPIOS:
        points = poles[poles.MUN.eq(m.code)].geometry
        assert (np.hypot(points.x - m.longitude, points.y - m.latitude) < 0.04).all()
    for layer in ENERGY:
        ucs = read(gdb(), layer)
        assert (poles.MUN.reindex(ucs.PN_CON).to_numpy() == ucs.MUN).all()


@pytest.mark.parametrize("model", ["M10", "V11"])
def test_codes_of_a_clean_release_are_in_their_domains(gdb: Gdb, model: Model) -> None:
    domains = {
        "CLAS_SUB": "classe_consumo",
        "CNAE": "cnae",
        "FAS_CON": "fase_conexao",
        "GRU_TAR": "subgrupo_tarifario",
        "GRU_TEN": "grupo_tensao",
        "MUN": "municipio",
        "SIT_ATIV": "situacao_uc",
        "TEN_FORN": "tensao_fornecimento",
        "DIST": "distribuidora",
    }
    for column, domain in domains.items():
        with (SEEDS / f"{domain}_dominio.csv").open(encoding="utf-8") as file:
            field_name = "codigo_formatado" if column == "CNAE" else "id"
            valid = {row[field_name] for row in csv.DictReader(file)} | {" "}
        for layer in ENERGY:
            used = set(read(gdb(model=model), layer)[column].astype(str))
            assert used <= valid, (layer, column)


def test_tariff_voltage_and_class_agree(gdb: Gdb) -> None:
    bt, mt, at = (read(gdb(), layer) for layer in ("UCBT", "UCMT", "UCAT"))
    assert set(bt[bt.CLAS_SUB == "RE1"].GRU_TAR) == {"B1"}
    assert (bt[bt.FAS_CON.isin(["AN", "BN", "CN"])].TEN_FORN == "10").all()
    assert set(mt.GRU_TAR) <= {"A4", "A3A", "B3"}
    assert (mt.DEM_CONT[mt.GRU_TAR == "B3"] == 0).all()
    assert (mt.DEM_CONT[mt.GRU_TAR != "B3"] >= 30).all()
    assert set(at.GRU_TAR) <= {"A2", "A3"}
    assert 0.01 < (bt.CEG_GD != " ").mean() < 0.05


def test_energy_is_what_the_demand_can_deliver(gdb: Gdb) -> None:
    mt, at = read(gdb(), "UCMT"), read(gdb(), "UCAT")
    measured = mt.GRU_TAR != "B3"
    for m in range(1, 13):
        hours = mt[f"ENE_{m:02d}"] / mt[f"DEM_{m:02d}"].where(mt[f"DEM_{m:02d}"] > 0)
        assert (hours[measured].dropna() <= 730).all()
        assert (at[f"ENE_P_{m:02d}"] <= at[f"DEM_P_{m:02d}"] * 66 + 0.01).all()
        assert (at[f"DEM_P_{m:02d}"] <= at[f"DEM_F_{m:02d}"] + 0.001).all()


def test_at_and_ds_rows_have_disjoint_months_and_lose_no_energy(gdb: Gdb) -> None:
    clean, split_row = (read(gdb(*d), "UCBT") for d in ((), ("at_ds",)))
    np.testing.assert_allclose(energy(split_row, "UCBT"), energy(clean, "UCBT"), rtol=1e-12)
    groups = split_row.groupby("COD_ID")
    assert ((split_row[ENE] != 0).groupby(split_row.COD_ID).sum() <= 1).all(axis=None)
    dtypes = groups.SIT_ATIV.agg(lambda s: "+".join(sorted(s)))
    assert {"AT", "AT+DS", "AT+DS+DS", "DS+DS"} == set(dtypes)
    assert 0.02 < (dtypes != "AT").mean() < 0.04
    assert (groups.PN_CON.nunique() == 1).all()
    assert (groups.CLAS_SUB.nunique() > 1).any()
    assert (groups.GRU_TAR.nunique() > 1).any()
    mt = read(gdb("at_ds"), "UCMT")
    assert (mt.groupby("COD_ID").DEM_CONT.nunique() == 1).all()
    assert mt.COD_ID.duplicated().any()


def test_the_next_vintage_has_the_same_ucs_but_for_the_usual_turnover(gdb: Gdb) -> None:
    before, after = (read(gdb(ano=ano), "UCBT").set_index("COD_ID") for ano in (2024, 2025))
    stay = before.index.intersection(after.index)
    assert 1 - len(stay) / len(before) == pytest.approx(0.03, abs=0.002)
    assert 1 - len(stay) / len(after) == pytest.approx(0.04, abs=0.002)
    a, d = before.loc[stay], after.loc[stay]
    assert 0.01 < (a.PN_CON != d.PN_CON).mean() < 0.03
    for column in ("CLAS_SUB", "CNAE", "DAT_CON", "CAR_INST", "CEG_GD", "FAS_CON"):
        assert (a[column] == d[column]).all(), column
    assert (a.ENE_06 != d.ENE_06).mean() > 0.9
    new_ones = after.loc[after.index.difference(before.index)]
    assert (new_ones.DAT_CON.str[-4:] == "2025").all()
    base = read(gdb(ano=2025), "BASE")
    assert base.loc[0, ["DAT_INC", "DAT_FNL"]].tolist() == ["01/01/2025", "31/12/2025"]
    assert (read(gdb(), "PONNOT").COD_ID == read(gdb(ano=2025), "PONNOT").COD_ID).all()


def test_nothing_that_identifies_a_person(gdb: Gdb) -> None:
    for layer in ENERGY:
        ucs = read(gdb(), layer)
        assert "LGRD" not in ucs
        assert set(ucs.DESCR) == {" "}
        assert ucs.COD_ID.str.fullmatch("[0-9a-f]{64}").all()
    assert read(gdb(), "BASE").loc[0, "DESCR"].startswith("DADOS SINTETICOS")


def _uc(layer: str, failure: Callable[[pd.DataFrame], object]) -> Callable[[Path], bool]:
    return lambda gdb: bool(failure(read(gdb, layer)))


def _without(layer: str) -> Callable[[Path], bool]:
    return lambda gdb: not any(n.lower().startswith(layer) for n in layers(gdb))


VISIBLE: dict[Fault, Callable[[Path], bool]] = {
    Fault.AT_DS: _uc("UCBT", lambda t: t.COD_ID.duplicated().any()),
    Fault.CNAE_EM_BRANCO: _uc("UCBT", lambda t: 0.88 < (t.CNAE == " ").mean() < 0.95),
    Fault.CNAE_INVALIDO: _uc("UCBT", lambda t: {"0", "4711302", "COMERCIO"} < set(t.CNAE)),
    Fault.PN_CON_ORFAO: _uc("UCBT", lambda t: {"0", " ", "ORFAO-1"} < set(t.PN_CON)),
    Fault.CODIGO_FORA_DO_DOMINIO: _uc(
        "UCBT",
        lambda t: "XX9" in set(t.CLAS_SUB) and "999" in set(t.TEN_FORN) and "9999999" in set(t.MUN),
    ),
    Fault.TIP_SIST_DESCONHECIDO: _uc("UCBT", lambda t: {"MIGDI", "SIGFI"} < set(t.TIP_SIST)),
    Fault.ENERGIA_NEGATIVA: _uc("UCBT", lambda t: (t[ENE] < 0).any(axis=None)),
    Fault.U_FFFD: _uc(
        "UCBT",
        lambda t: t.BRR.str.contains("\ufffd").any() and t.DESCR.str.contains("\ufffd").any(),
    ),
    Fault.DATA_SENTINELA: _uc(
        "UCBT",
        lambda t: (
            {"02/01/2001", "01/01/1951", " "} < set(t.DAT_CON)
            and t.DAT_CON.str.endswith("/2025").any()
            and (t.DAT_CON == "02/01/2001").mean() > 0.08
        ),
    ),
    Fault.CEP_VARIADO: _uc(
        "UCBT",
        lambda t: (
            {re.sub(r"\d", "9", c) for c in t.CEP} == {"99999999", "99.999-999", "99999-999", " "}
            and "00000000" in set(t.CEP)
        ),
    ),
    Fault.CAR_INST_EM_W: _uc("UCBT", lambda t: t.CAR_INST.median() > 5000),
    Fault.DEM_CONT_CAR_INST_MW: _uc("UCMT", lambda t: (t.CAR_INST == t.DEM_CONT / 1000).all()),
    Fault.DEMANDA_ZERO: _uc("UCMT", lambda t: t.DEM_CONT[t.GRU_TAR != "B3"].eq(0).any()),
    Fault.DIST_DIVERGENTE: _uc("UCBT", lambda t: t.DIST.nunique() == 2),
    Fault.COD_ID_EM_BRANCO: _uc("UCBT", lambda t: 1 < (t.COD_ID == " ").sum() < 50),
    Fault.SEM_COD_ID: _uc("UCBT", lambda t: "COD_ID" not in t),
    Fault.COLUNA_EXTRA: _uc("UCBT", lambda t: "COLUNA_NOVA" in t),
    Fault.TIPO_ERRADO: _uc("UCBT", lambda t: "n/d" in set(t.ENE_01)),
    Fault.CAMADA_VAZIA: _uc("UCMT", lambda t: t.empty),
    Fault.SEM_CAMADA_UCAT: _without("ucat"),
    Fault.SEM_CAMADA_UCBT: _without("ucbt"),
    Fault.SEM_CAMADAS_DA_REDE: lambda gdb: not {"CONJ", "CRVCRG"} & set(layers(gdb)),
    Fault.SEM_CAMADA_PONNOT: _without("ponnot"),
    Fault.SEM_BASE: _without("base"),
    Fault.SEM_DEZEMBRO: _uc("UCBT", lambda t: "ENE_12" not in t),
    Fault.ENERGIA_IMPOSSIVEL: _uc("UCMT", lambda t: (t.ENE_06 > t.DEM_06 * 720).any()),
    Fault.DIC_IMPOSSIVEL: _uc("UCBT", lambda t: (t.DIC_05 > 744).any()),
    Fault.ALIMENTADOR_EM_MWH: lambda gdb: (
        read(gdb, "CTMT").ENE_01.sum() < read(gdb, "UCBT").ENE_01.sum() / 100
    ),
    Fault.PONTO_FORA_DO_BRASIL: lambda gdb: pyogrio.read_bounds(gdb, layer="PONNOT")[1].min() == 10,
    Fault.DUAS_BASES: lambda gdb: read(gdb, "BASE").DAT_FNL.nunique() == 2,
    Fault.SEM_SUFIXO_TAB: lambda gdb: "UCBT" in layers(gdb),
    Fault.NOMES_MINUSCULOS: lambda gdb: (
        "ucbt_tab" in layers(gdb) and "ene_01" in pyogrio.read_info(gdb, layer="ucbt_tab")["fields"]
    ),
}


@pytest.mark.parametrize("fault", Fault)
def test_fault_shows_when_asked_for_and_not_otherwise(gdb: Gdb, fault: Fault) -> None:
    assert VISIBLE[fault](gdb(fault))
    assert not VISIBLE[fault](gdb())


@pytest.mark.parametrize("fault", [d for d in Fault if not d.startswith("sem_camada")])
def test_fault_leaves_m10_readable(gdb: Gdb, fault: Fault) -> None:
    table = read(gdb(fault, model="M10", ucs=300), "UCBT")
    assert len(table) >= 290
    assert "DEM_CONT" not in table


def test_all_faults_together_still_write(gdb: Gdb) -> None:
    together = [d for d in Fault if not d.startswith("sem_camada")]
    assert {"ucbt", "ponnot"} < set(layers(gdb(*together)))


def test_planted_anomalies_are_listed_and_the_others_are_as_they_were(tmp_path: Path) -> None:
    """Every listed unit differs from the same release without them, every other one is the same."""
    # No row of a changed contract, which would split a unit's months.
    plain, odd = (
        write(Recipe(ucs=5000, anomalias=planted), tmp_path / f"{planted}.gdb")
        for planted in (False, True)
    )
    with list_of(odd.file).open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    assert len(listed) == len(odd.planted) > 60
    assert not plain.planted and not list_of(plain.file).exists()
    assert {p["tipo"] for p in listed} >= {"pico", "zeros", "linha_reta", "queda_na_area"}
    units = {p["serie"] for p in listed if p["nivel"] == "uc" and p["tipo"] != "zeros"}
    before, after = (
        read(r.file, "UCBT").set_index("COD_ID")[[*ENE, "MUN", "BRR", "CTMT"]] for r in (plain, odd)
    )
    spared = (before.CTMT != "2_SE01_1") & (before.MUN != "4316733")
    spared &= ~((before.MUN == "4309803") & (before.BRR == "INDUSTRIAL"))
    changed = set(before.index[spared & (before[ENE] != after[ENE]).any(axis=1)])
    inside = units & set(before.index[spared])
    assert inside <= changed
    assert changed <= {p["serie"] for p in listed}
    fallen = ["ENE_09"]
    feeder = before.CTMT.eq("2_SE01_1") & ~before.index.isin(units)
    ratio = after.loc[feeder, fallen].sum() / before.loc[feeder, fallen].sum()
    assert 0.45 < ratio.item() < 0.55


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "real.gdb"
    target.mkdir()
    with pytest.raises(FileExistsError, match=r"real\.gdb exists"):
        generate(target, ucs=50)
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("loaders.synthetic.writer._compress", fail)
    with pytest.raises(OSError, match="disk full"):
        generate(tmp_path / "x.gdb.zip", ucs=50)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"ucs": 10}, "at least 50"),
        ({"ano": 1999}, "2001 to 2100"),
        ({"model": "V10"}, "M10"),
        ({"faults": ["inexistente"]}, "inexistente"),
    ],
)
def test_an_impossible_recipe_is_refused(
    tmp_path: Path, arguments: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        generate(tmp_path / "x.gdb", **arguments)
    assert not list(tmp_path.iterdir())


def test_command_writes_the_usual_mix_and_names_what_it_refuses(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(command)
    target = tmp_path / "novo" / "x.gdb.zip"
    done = CliRunner().invoke(app, [str(target), "--ucs", "400", "--modelo", "M10"])
    assert done.exit_code == 0, done.output
    assert "UCBT" in done.output
    assert VISIBLE[Fault.AT_DS](target)
    um = tmp_path / "um.gdb"
    CliRunner().invoke(app, [str(um), "--ucs", "400", "--defeito", "sem_base"])
    assert VISIBLE[Fault.SEM_BASE](um)
    assert not VISIBLE[Fault.AT_DS](um)
    assert CliRunner().invoke(app, [str(target)]).exit_code == 2
    assert CliRunner().invoke(app, [str(tmp_path / "x.csv")]).exit_code == 2
