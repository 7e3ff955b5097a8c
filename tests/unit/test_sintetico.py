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

from loaders.camadas import CAMADAS
from loaders.sintetico import (
    MUNICIPIOS,
    PADRAO,
    Defeito,
    Modelo,
    Receita,
    Resumo,
    comando,
    escrever,
    gerar,
)

SEEDS = Path(__file__).parents[2] / "seeds"
MUX = Path(__file__).parents[3] / "shared/data/Mux_Energia_401_2024-12-31_V11_20250806-1857.gdb.zip"
UCS = 2000
ENE = [f"ENE_{m:02d}" for m in range(1, 13)]
ENERGIA = {"UCBT": ("ENE",), "UCMT": ("ENE",), "UCAT": ("ENE_P", "ENE_F")}
M10_UCBT = (
    "DIST PAC CEG PN_CON UNI_TR_D CTMT UNI_TR_S SUB CONJ MUN BRR CEP CLAS_SUB CNAE TIP_CC FAS_CON "
    "GRU_TEN TEN_FORN GRU_TAR SIT_ATIV DAT_CON CAR_INST LIV ENE_01 ENE_02 ENE_03 ENE_04 ENE_05 "
    "ENE_06 ENE_07 ENE_08 ENE_09 ENE_10 ENE_11 ENE_12 DIC FIC SEMRED DESCR ARE_LOC COD_ID"
)
"""EFLUL 2020, an M10 release."""

Gdb = Callable[..., Path]


def camadas(gdb: Path) -> list[str]:
    return sorted(pyogrio.list_layers(gdb)[:, 0])


def ler(gdb: Path, camada: str) -> pd.DataFrame:
    nome = {n.lower().removesuffix("_tab"): n for n in camadas(gdb)}[camada.lower()]
    tabela = pyogrio.read_dataframe(gdb, layer=nome)
    return tabela.rename(columns=lambda c: c if c == "geometry" else c.upper())


def energia(tabela: pd.DataFrame, camada: str) -> np.ndarray:
    return sum(
        tabela[[f"{p}_{m:02d}" for m in range(1, 13)]].to_numpy().sum(axis=0)
        for p in ENERGIA[camada]
    )


@pytest.fixture(scope="module")
def gdb(tmp_path_factory: pytest.TempPathFactory) -> Gdb:
    """Makes a release once per distinct set of arguments."""
    pasta, prontas = tmp_path_factory.mktemp("sintetico"), {}

    def fazer(*defeitos: str, **argumentos: object) -> Path:
        chave = (frozenset(defeitos), *sorted(argumentos.items()))
        if chave not in prontas:
            destino = pasta / f"{len(prontas)}.gdb"
            prontas[chave] = gerar(destino, defeitos=defeitos, **{"ucs": UCS} | argumentos)
        return prontas[chave]

    return fazer


@pytest.mark.parametrize("modelo", ["M10", "V11"])
def test_resumo_says_what_the_file_holds(tmp_path: Path, modelo: Modelo) -> None:
    defeitos = PADRAO | {Defeito.COD_ID_EM_BRANCO, Defeito.ENERGIA_NEGATIVA}
    resumo: Resumo = escrever(
        Receita(ucs=UCS, modelo=modelo, defeitos=defeitos), tmp_path / "x.gdb.zip"
    )
    assert set(resumo.linhas) == {camada.nome for camada in CAMADAS}
    for camada, linhas in resumo.linhas.items():
        assert len(ler(resumo.arquivo, camada)) == linhas
        # One high-voltage unit in 2,000 seldom has generation of its own.
        assert linhas > 0 or camada == "UGAT"
    for camada, kwh in resumo.kwh.items():
        tabela = ler(resumo.arquivo, camada)
        np.testing.assert_allclose(energia(tabela, camada), kwh, rtol=1e-12)
        assert tabela.COD_ID[tabela.COD_ID != " "].nunique() == resumo.ucs[camada]


def test_equal_recipe_gives_equal_bytes_and_another_seed_other_ucs(tmp_path: Path) -> None:
    um, dois, outro = (
        gerar(tmp_path / pasta / "x.gdb.zip", ucs=200, semente=semente, defeitos=PADRAO)
        for pasta, semente in (("a", 1), ("b", 1), ("c", 2))
    )
    assert hashlib.sha256(um.read_bytes()).digest() == hashlib.sha256(dois.read_bytes()).digest()
    assert set(ler(um, "UCBT").COD_ID).isdisjoint(ler(outro, "UCBT").COD_ID)


def test_m10_columns_are_those_of_an_m10_release(gdb: Gdb) -> None:
    m10 = gdb(modelo="M10", ano=2020)
    assert list(pyogrio.read_info(m10, layer="UCBT_tab")["fields"]) == M10_UCBT.split()
    assert len(pyogrio.read_info(m10, layer="UCAT_tab")["fields"]) == 74
    assert len(pyogrio.read_info(m10, layer="UCMT_tab")["fields"]) == 52
    assert len(pyogrio.read_info(m10, layer="PONNOT")["fields"]) == 23
    assert list(pyogrio.read_info(m10, layer="CONJ")["fields"][:3]) == ["COD_ID", "DIST", "NOM"]


@pytest.mark.skipif(not MUX.exists(), reason="the real release is not beside the clone")
@pytest.mark.parametrize("camada", ["BASE", "CONJ", "PONNOT", "UCAT_tab", "UCMT_tab", "UCBT_tab"])
def test_v11_layer_is_declared_as_in_the_real_release(gdb: Gdb, camada: str) -> None:
    def declarada(arquivo: Path) -> tuple[object, ...]:
        with pyogrio.open_arrow(arquivo, layer=camada, use_pyarrow=True) as (meta, leitor):
            campos = [
                (c.name, c.type, (c.metadata or {}).get(b"GDAL:OGR:width"))
                for c in leitor.schema
                if c.name != "Shape"
            ]
        return campos, meta["crs"], meta["geometry_type"], meta["geometry_name"], meta["fid_column"]

    assert declarada(gdb()) == declarada(MUX)


def test_every_pn_con_of_a_clean_release_is_a_pole_in_its_municipio(gdb: Gdb) -> None:
    postes = ler(gdb(), "PONNOT").set_index("COD_ID")
    assert postes.index.is_unique
    assert not postes.geometry.duplicated().any()
    assert postes.crs.to_epsg() == 4674
    for m in MUNICIPIOS:
        pontos = postes[postes.MUN.eq(m.codigo)].geometry
        assert (np.hypot(pontos.x - m.longitude, pontos.y - m.latitude) < 0.04).all()
    for camada in ENERGIA:
        ucs = ler(gdb(), camada)
        assert (postes.MUN.reindex(ucs.PN_CON).to_numpy() == ucs.MUN).all()


@pytest.mark.parametrize("modelo", ["M10", "V11"])
def test_codes_of_a_clean_release_are_in_their_domains(gdb: Gdb, modelo: Modelo) -> None:
    dominios = {
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
    for coluna, dominio in dominios.items():
        with (SEEDS / f"{dominio}_dominio.csv").open(encoding="utf-8") as arquivo:
            campo = "codigo_formatado" if coluna == "CNAE" else "id"
            validos = {linha[campo] for linha in csv.DictReader(arquivo)} | {" "}
        for camada in ENERGIA:
            usados = set(ler(gdb(modelo=modelo), camada)[coluna].astype(str))
            assert usados <= validos, (camada, coluna)


def test_tariff_voltage_and_class_agree(gdb: Gdb) -> None:
    bt, mt, at = (ler(gdb(), camada) for camada in ("UCBT", "UCMT", "UCAT"))
    assert set(bt[bt.CLAS_SUB == "RE1"].GRU_TAR) == {"B1"}
    assert (bt[bt.FAS_CON.isin(["AN", "BN", "CN"])].TEN_FORN == "10").all()
    assert set(mt.GRU_TAR) <= {"A4", "A3A", "B3"}
    assert (mt.DEM_CONT[mt.GRU_TAR == "B3"] == 0).all()
    assert (mt.DEM_CONT[mt.GRU_TAR != "B3"] >= 30).all()
    assert set(at.GRU_TAR) <= {"A2", "A3"}
    assert 0.01 < (bt.CEG_GD != " ").mean() < 0.05


def test_energy_is_what_the_demand_can_deliver(gdb: Gdb) -> None:
    mt, at = ler(gdb(), "UCMT"), ler(gdb(), "UCAT")
    medido = mt.GRU_TAR != "B3"
    for m in range(1, 13):
        horas = mt[f"ENE_{m:02d}"] / mt[f"DEM_{m:02d}"].where(mt[f"DEM_{m:02d}"] > 0)
        assert (horas[medido].dropna() <= 730).all()
        assert (at[f"ENE_P_{m:02d}"] <= at[f"DEM_P_{m:02d}"] * 66 + 0.01).all()
        assert (at[f"DEM_P_{m:02d}"] <= at[f"DEM_F_{m:02d}"] + 0.001).all()


def test_at_and_ds_rows_have_disjoint_months_and_lose_no_energy(gdb: Gdb) -> None:
    limpa, partida = (ler(gdb(*d), "UCBT") for d in ((), ("at_ds",)))
    np.testing.assert_allclose(energia(partida, "UCBT"), energia(limpa, "UCBT"), rtol=1e-12)
    grupos = partida.groupby("COD_ID")
    assert ((partida[ENE] != 0).groupby(partida.COD_ID).sum() <= 1).all(axis=None)
    tipos = grupos.SIT_ATIV.agg(lambda s: "+".join(sorted(s)))
    assert {"AT", "AT+DS", "AT+DS+DS", "DS+DS"} == set(tipos)
    assert 0.02 < (tipos != "AT").mean() < 0.04
    assert (grupos.PN_CON.nunique() == 1).all()
    assert (grupos.CLAS_SUB.nunique() > 1).any()
    assert (grupos.GRU_TAR.nunique() > 1).any()
    mt = ler(gdb("at_ds"), "UCMT")
    assert (mt.groupby("COD_ID").DEM_CONT.nunique() == 1).all()
    assert mt.COD_ID.duplicated().any()


def test_the_next_vintage_has_the_same_ucs_but_for_the_usual_turnover(gdb: Gdb) -> None:
    antes, depois = (ler(gdb(ano=ano), "UCBT").set_index("COD_ID") for ano in (2024, 2025))
    ficam = antes.index.intersection(depois.index)
    assert 1 - len(ficam) / len(antes) == pytest.approx(0.03, abs=0.002)
    assert 1 - len(ficam) / len(depois) == pytest.approx(0.04, abs=0.002)
    a, d = antes.loc[ficam], depois.loc[ficam]
    assert 0.01 < (a.PN_CON != d.PN_CON).mean() < 0.03
    for coluna in ("CLAS_SUB", "CNAE", "DAT_CON", "CAR_INST", "CEG_GD", "FAS_CON"):
        assert (a[coluna] == d[coluna]).all(), coluna
    assert (a.ENE_06 != d.ENE_06).mean() > 0.9
    novas = depois.loc[depois.index.difference(antes.index)]
    assert (novas.DAT_CON.str[-4:] == "2025").all()
    base = ler(gdb(ano=2025), "BASE")
    assert base.loc[0, ["DAT_INC", "DAT_FNL"]].tolist() == ["01/01/2025", "31/12/2025"]
    assert (ler(gdb(), "PONNOT").COD_ID == ler(gdb(ano=2025), "PONNOT").COD_ID).all()


def test_nothing_that_identifies_a_person(gdb: Gdb) -> None:
    for camada in ENERGIA:
        ucs = ler(gdb(), camada)
        assert "LGRD" not in ucs
        assert set(ucs.DESCR) == {" "}
        assert ucs.COD_ID.str.fullmatch("[0-9a-f]{64}").all()
    assert ler(gdb(), "BASE").loc[0, "DESCR"].startswith("DADOS SINTETICOS")


def _uc(camada: str, falha: Callable[[pd.DataFrame], object]) -> Callable[[Path], bool]:
    return lambda gdb: bool(falha(ler(gdb, camada)))


def _sem(camada: str) -> Callable[[Path], bool]:
    return lambda gdb: not any(n.lower().startswith(camada) for n in camadas(gdb))


VISIVEL: dict[Defeito, Callable[[Path], bool]] = {
    Defeito.AT_DS: _uc("UCBT", lambda t: t.COD_ID.duplicated().any()),
    Defeito.CNAE_EM_BRANCO: _uc("UCBT", lambda t: 0.88 < (t.CNAE == " ").mean() < 0.95),
    Defeito.CNAE_INVALIDO: _uc("UCBT", lambda t: {"0", "4711302", "COMERCIO"} < set(t.CNAE)),
    Defeito.PN_CON_ORFAO: _uc("UCBT", lambda t: {"0", " ", "ORFAO-1"} < set(t.PN_CON)),
    Defeito.CODIGO_FORA_DO_DOMINIO: _uc(
        "UCBT",
        lambda t: "XX9" in set(t.CLAS_SUB) and "999" in set(t.TEN_FORN) and "9999999" in set(t.MUN),
    ),
    Defeito.TIP_SIST_DESCONHECIDO: _uc("UCBT", lambda t: {"MIGDI", "SIGFI"} < set(t.TIP_SIST)),
    Defeito.ENERGIA_NEGATIVA: _uc("UCBT", lambda t: (t[ENE] < 0).any(axis=None)),
    Defeito.U_FFFD: _uc(
        "UCBT",
        lambda t: t.BRR.str.contains("\ufffd").any() and t.DESCR.str.contains("\ufffd").any(),
    ),
    Defeito.DATA_SENTINELA: _uc(
        "UCBT",
        lambda t: (
            {"02/01/2001", "01/01/1951", " "} < set(t.DAT_CON)
            and t.DAT_CON.str.endswith("/2025").any()
            and (t.DAT_CON == "02/01/2001").mean() > 0.08
        ),
    ),
    Defeito.CEP_VARIADO: _uc(
        "UCBT",
        lambda t: (
            {re.sub(r"\d", "9", c) for c in t.CEP} == {"99999999", "99.999-999", "99999-999", " "}
            and "00000000" in set(t.CEP)
        ),
    ),
    Defeito.CAR_INST_EM_W: _uc("UCBT", lambda t: t.CAR_INST.median() > 5000),
    Defeito.DEM_CONT_CAR_INST_MW: _uc("UCMT", lambda t: (t.CAR_INST == t.DEM_CONT / 1000).all()),
    Defeito.DEMANDA_ZERO: _uc("UCMT", lambda t: t.DEM_CONT[t.GRU_TAR != "B3"].eq(0).any()),
    Defeito.DIST_DIVERGENTE: _uc("UCBT", lambda t: t.DIST.nunique() == 2),
    Defeito.COD_ID_EM_BRANCO: _uc("UCBT", lambda t: 1 < (t.COD_ID == " ").sum() < 50),
    Defeito.SEM_COD_ID: _uc("UCBT", lambda t: "COD_ID" not in t),
    Defeito.COLUNA_EXTRA: _uc("UCBT", lambda t: "COLUNA_NOVA" in t),
    Defeito.TIPO_ERRADO: _uc("UCBT", lambda t: "n/d" in set(t.ENE_01)),
    Defeito.CAMADA_VAZIA: _uc("UCMT", lambda t: t.empty),
    Defeito.SEM_CAMADA_UCAT: _sem("ucat"),
    Defeito.SEM_CAMADA_UCBT: _sem("ucbt"),
    Defeito.SEM_CAMADAS_DA_REDE: lambda gdb: not {"CONJ", "CRVCRG"} & set(camadas(gdb)),
    Defeito.SEM_CAMADA_PONNOT: _sem("ponnot"),
    Defeito.SEM_BASE: _sem("base"),
    Defeito.SEM_DEZEMBRO: _uc("UCBT", lambda t: "ENE_12" not in t),
    Defeito.ENERGIA_IMPOSSIVEL: _uc("UCMT", lambda t: (t.ENE_06 > t.DEM_06 * 720).any()),
    Defeito.DIC_IMPOSSIVEL: _uc("UCBT", lambda t: (t.DIC_05 > 744).any()),
    Defeito.PONTO_FORA_DO_BRASIL: lambda gdb: (
        pyogrio.read_bounds(gdb, layer="PONNOT")[1].min() == 10
    ),
    Defeito.DUAS_BASES: lambda gdb: ler(gdb, "BASE").DAT_FNL.nunique() == 2,
    Defeito.SEM_SUFIXO_TAB: lambda gdb: "UCBT" in camadas(gdb),
    Defeito.NOMES_MINUSCULOS: lambda gdb: (
        "ucbt_tab" in camadas(gdb)
        and "ene_01" in pyogrio.read_info(gdb, layer="ucbt_tab")["fields"]
    ),
}


@pytest.mark.parametrize("defeito", Defeito)
def test_fault_shows_when_asked_for_and_not_otherwise(gdb: Gdb, defeito: Defeito) -> None:
    assert VISIVEL[defeito](gdb(defeito))
    assert not VISIVEL[defeito](gdb())


@pytest.mark.parametrize("defeito", [d for d in Defeito if not d.startswith("sem_camada")])
def test_fault_leaves_m10_readable(gdb: Gdb, defeito: Defeito) -> None:
    tabela = ler(gdb(defeito, modelo="M10", ucs=300), "UCBT")
    assert len(tabela) >= 290
    assert "DEM_CONT" not in tabela


def test_all_faults_together_still_write(gdb: Gdb) -> None:
    juntos = [d for d in Defeito if not d.startswith("sem_camada")]
    assert {"ucbt", "ponnot"} < set(camadas(gdb(*juntos)))


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    destino = tmp_path / "real.gdb"
    destino.mkdir()
    with pytest.raises(FileExistsError, match=r"real\.gdb exists"):
        gerar(destino, ucs=50)
    assert list(tmp_path.iterdir()) == [destino]


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def falhar(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("loaders.sintetico._comprimir", falhar)
    with pytest.raises(OSError, match="disk full"):
        gerar(tmp_path / "x.gdb.zip", ucs=50)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("argumentos", "dito"),
    [
        ({"ucs": 10}, "at least 50"),
        ({"ano": 1999}, "2001 to 2100"),
        ({"modelo": "V10"}, "M10"),
        ({"defeitos": ["inexistente"]}, "inexistente"),
    ],
)
def test_an_impossible_recipe_is_refused(
    tmp_path: Path, argumentos: dict[str, object], dito: str
) -> None:
    with pytest.raises(ValueError, match=dito):
        gerar(tmp_path / "x.gdb", **argumentos)
    assert not list(tmp_path.iterdir())


def test_command_writes_the_usual_mix_and_names_what_it_refuses(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(comando)
    destino = tmp_path / "novo" / "x.gdb.zip"
    feito = CliRunner().invoke(app, [str(destino), "--ucs", "400", "--modelo", "M10"])
    assert feito.exit_code == 0, feito.output
    assert "UCBT" in feito.output
    assert VISIVEL[Defeito.AT_DS](destino)
    um = tmp_path / "um.gdb"
    CliRunner().invoke(app, [str(um), "--ucs", "400", "--defeito", "sem_base"])
    assert VISIVEL[Defeito.SEM_BASE](um)
    assert not VISIVEL[Defeito.AT_DS](um)
    assert CliRunner().invoke(app, [str(destino)]).exit_code == 2
    assert CliRunner().invoke(app, [str(tmp_path / "x.csv")]).exit_code == 2
