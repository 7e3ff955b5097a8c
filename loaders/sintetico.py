"""A synthetic BDGD: a File Geodatabase with ANEEL's layers, columns and faults, from a seed.

Belongs here: what a release looks like (column order, widths), how its values are distributed, and
which faults it can carry. Not here: raw tables (camadas.py), loading, files for any other source.
No value describes a real customer: keys are hashes of a counter, distributions are of aggregates.
"""

import hashlib
import math
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, get_args

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
import typer

from loaders.camadas import CAMADAS, CAMADAS_UC, INTEIRO, NUMERO, PERDAS, RENOMES, Camada

Modelo = Literal["M10", "V11"]
Colunas = dict[str, np.ndarray]
"""Raw column name → one value per UC; a monthly prefix (``ene``) → an array of UCs × 12."""


class Defeito(StrEnum):
    """A fault that real releases have (or that a loader must survive)."""

    AT_DS = "at_ds"
    """One UC in 2 or 3 rows (AT+DS, AT+DS+DS, DS+DS), months disjoint; class or tariff differ."""
    CNAE_EM_BRANCO = "cnae_em_branco"
    """Most non-residential UCs of BT without CNAE, so that 91 % of the layer is blank."""
    CNAE_INVALIDO = "cnae_invalido"
    """CNAE that is '0', unformatted, a word, or a code that does not exist."""
    PN_CON_ORFAO = "pn_con_orfao"
    """PN_CON that is in no PONNOT, '0', or blank."""
    CODIGO_FORA_DO_DOMINIO = "codigo_fora_do_dominio"
    """CLAS_SUB 'XX9', TEN_FORN '999' or MUN '9999999'."""
    TIP_SIST_DESCONHECIDO = "tip_sist_desconhecido"
    """TIP_SIST that no document lists (the domain is open)."""
    ENERGIA_NEGATIVA = "energia_negativa"
    """A month of negative energy (re-billing), in every UC layer."""
    U_FFFD = "u_fffd"
    """U+FFFD inside BRR and DESCR: an accent lost at the origin."""
    DATA_SENTINELA = "data_sentinela"
    """DAT_CON 02/01/2001, 01/01/2000, 01/01/1951, blank, or after the vintage."""
    CEP_VARIADO = "cep_variado"
    """CEP as 99950000, 99.950-000, 99950-000, 00000000 or blank in one layer."""
    CAR_INST_EM_W = "car_inst_em_w"
    """CAR_INST of BT in W instead of kW."""
    DEM_CONT_CAR_INST_MW = "dem_cont_car_inst_mw"
    """CAR_INST of MT and AT = DEM_CONT / 1000 (MW)."""
    DEMANDA_ZERO = "demanda_zero"
    """DEM_CONT 0 in half of MT and AT, and 57 % of the measured demands 0."""
    DIST_DIVERGENTE = "dist_divergente"
    """DIST of some rows differs from BASE."""
    COD_ID_EM_BRANCO = "cod_id_em_branco"
    """COD_ID blank in some rows of the UC layers."""
    SEM_COD_ID = "sem_cod_id"
    """No COD_ID column in the UC layers (releases up to 2023)."""
    COLUNA_EXTRA = "coluna_extra"
    """UC layers with a column that no model has."""
    TIPO_ERRADO = "tipo_errado"
    """ENE_01 of BT as text, some of it not a number."""
    SEM_CAMADA_UCAT = "sem_camada_ucat"
    """No UCAT layer."""
    SEM_CAMADA_UCBT = "sem_camada_ucbt"
    """No UCBT layer."""
    SEM_CAMADA_PONNOT = "sem_camada_ponnot"
    """No PONNOT layer."""
    CAMADA_VAZIA = "camada_vazia"
    """UCMT exists and has no rows."""
    SEM_SUFIXO_TAB = "sem_sufixo_tab"
    """Layers UCBT instead of UCBT_tab."""
    NOMES_MINUSCULOS = "nomes_minusculos"
    """Layer and column names in lower case."""
    SEM_BASE = "sem_base"
    """No BASE layer, so no vintage."""
    DUAS_BASES = "duas_bases"
    """BASE with two rows that disagree."""
    SEM_DEZEMBRO = "sem_dezembro"
    """No ENE_12 (ENE_F_12) column in the UC layers."""
    ENERGIA_IMPOSSIVEL = "energia_impossivel"
    """Energy of MT and AT beyond what the demand can carry, in 1 UC of 5."""
    DIC_IMPOSSIVEL = "dic_impossivel"
    """Months in which a UC was without supply for longer than the month, 1 UC of 40."""
    PONTO_FORA_DO_BRASIL = "ponto_fora_do_brasil"
    """Every pole at 10, 10."""
    SEM_CAMADAS_DA_REDE = "sem_camadas_da_rede"
    """None of the layers that are not units and poles: an export of the units alone."""


PADRAO = frozenset(
    {
        Defeito.AT_DS,
        Defeito.CNAE_EM_BRANCO,
        Defeito.PN_CON_ORFAO,
        Defeito.CODIGO_FORA_DO_DOMINIO,
        Defeito.TIP_SIST_DESCONHECIDO,
        Defeito.CEP_VARIADO,
        Defeito.DATA_SENTINELA,
    }
)
"""What an ordinary release has: the mix that ``make run`` loads."""


@dataclass(frozen=True)
class Municipio:
    """A município served: IBGE code, a point of its town (EPSG:4674), CEP, share of poles."""

    codigo: str
    longitude: float
    latitude: float
    cep: str
    peso: float


MUNICIPIOS = (
    Municipio("4320909", -52.010, -28.068, "99950000", 0.75),
    Municipio("4309803", -51.858, -28.055, "99940000", 0.17),
    Municipio("4316733", -51.928, -28.161, "99952000", 0.08),
)


@dataclass(frozen=True, kw_only=True)
class Receita:
    """Everything that decides a synthetic release; equal recipes give equal bytes.

    Attributes:
        ucs: consumer units of the 2024 vintage, all layers together (≥ 50). Per year 3 % vanish
            and 4 % are new, so other vintages have a little more or less.
        semente: the same seed in another ``ano`` is the same distributor a year later: 2 % of the
            UCs moved to another pole, other attributes as they were, energy drawn again.
        distribuidora: ANEEL's code.
        ano: vintage, 2001 to 2100.
        modelo: columns of M10 (yearly DIC and FIC, no DEM_CONT) or V11.
        defeitos: faults to plant.
        municipios: where the poles stand.
    """

    ucs: int = 5000
    semente: int = 1
    distribuidora: int = 401
    ano: int = 2024
    modelo: Modelo = "V11"
    defeitos: frozenset[Defeito] = frozenset()
    municipios: tuple[Municipio, ...] = MUNICIPIOS

    def __post_init__(self) -> None:
        """Refuse a recipe that no release could come from."""
        if self.ucs < 50:
            raise ValueError(f"ucs = {self.ucs}: ask for at least 50.")
        if not 2001 <= self.ano <= 2100:
            raise ValueError(f"ano = {self.ano}: ask for a year from 2001 to 2100.")
        if self.modelo not in get_args(Modelo):
            raise ValueError(f"modelo = {self.modelo}: ask for one of {get_args(Modelo)}.")

    def tem(self, *defeitos: Defeito) -> bool:
        """Whether any of these faults is asked for."""
        return not self.defeitos.isdisjoint(defeitos)


@dataclass
class Resumo:
    """What was written, counted before GDAL saw it: the truth that a load is checked against.

    Attributes:
        arquivo: the geodatabase.
        linhas: layer (``UCBT``) → rows.
        ucs: UC layer → distinct non-blank COD_ID, also where the column itself is left out.
        kwh: UC layer → energy of each of the 12 months; peak + off-peak for UCAT.
        circuitos: layer, feeder → energy of each of the 12 months.
    """

    arquivo: Path
    linhas: dict[str, int] = field(default_factory=dict)
    ucs: dict[str, int] = field(default_factory=dict)
    kwh: dict[str, np.ndarray] = field(default_factory=dict)
    circuitos: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)

    def somar(self, camada: str, col: Colunas) -> None:
        """Add the energy of some rows to their feeders'."""
        for circuito in np.unique(col["ctmt"].astype(str)):
            antes = self.circuitos.get((camada, circuito), np.zeros(12))
            self.circuitos[camada, circuito] = antes + col["ene"][col["ctmt"] == circuito].sum(0)

    def do_circuito(self, circuito: str, *camadas: str) -> np.ndarray:
        """The energy of these layers on a feeder, kWh a month."""
        return sum((self.circuitos.get((c, circuito), np.zeros(12)) for c in camadas), np.zeros(12))


# ── What a release looks like ─────────────────────────────────────────────────────────────────────
_CONTRATO = (
    "BRR CEP CLAS_SUB CNAE TIP_CC FAS_CON GRU_TEN TEN_FORN GRU_TAR SIT_ATIV DAT_CON CAR_INST"
)
_USINA = (
    "CONJ MUN SUB BRR CEP CNAE FAS_CON GRU_TEN TEN_CON SIT_ATIV DAT_CON POT_INST DEM_CONT TIP_SIST"
)
_LUMINARIA = (
    "CLAS_SUB FAS_CON GRU_TEN TEN_FORN GRU_TAR SIT_ATIV ARE_LOC PAC TIP_CC CAR_INST POT_LAMP ENE_* "
    "DAT_CON DESCR"
)
_BALANCO = (
    "ENE_* PERD_A3a PERD_A4 PERD_B PERD_MED PERD_A3aA4 PERD_A3a_B PERD_A4A3a PERD_A4_B PERD_B_A3a "
    "PERD_B_A4 PNTMT_* PNTBT_*"
)
_ORDEM: dict[Modelo, dict[str, str]] = {
    "V11": {
        "UCAT": f"PN_CON DIST PAC CTAT SUB CONJ MUN CEG_GD {_CONTRATO} DEM_CONT LIV ARE_LOC "
        "TIP_SIST DEM_P_* DEM_F_* ENE_P_* ENE_F_* DIC_* FIC_* DESCR COD_ID",
        "UCMT": f"PN_CON DIST PAC CTMT UNI_TR_AT SUB CONJ MUN CEG_GD {_CONTRATO} DEM_CONT LIV "
        "ARE_LOC TIP_SIST DEM_* ENE_* DIC_* FIC_* SEMRED DESCR COD_ID",
        "UCBT": "DIST PAC RAMAL PN_CON UNI_TR_MT CTMT UNI_TR_AT SUB CONJ MUN CEG_GD "
        f"{_CONTRATO} LIV ARE_LOC TIP_SIST ENE_* DIC_* FIC_* SEMRED DESCR COD_ID",
        "PONNOT": "COD_ID DIST TIP_PN TIP_INST POS ESTR MAT ESF ALT ARE_LOC CONJ MUN ODI TI CM "
        "TUC A1 A2 A3 A4 A5 A6 UAR SITCONT DESCR",
        "CONJ": "COD_ID DIST NOME SIST_INTE SIST_SUBT DESCR",
        "CRVCRG": "COD_ID DIST TIP_DIA POT_# GRU_TEN DESCR",
        "UGAT": f"PN_CON DIST PAC CTAT CEG_GD {_USINA} DEM_P_* DEM_F_* ENE_P_* ENE_F_* DIC_* "
        "FIC_* DESCR COD_ID",
        "UGMT": f"PN_CON DIST PAC CEG_GD CTMT UNI_TR_AT {_USINA} DEM_* ENE_* DIC_* FIC_* DESCR "
        "COD_ID",
        "UGBT": f"PN_CON DIST PAC CEG_GD UNI_TR_MT CTMT UNI_TR_AT {_USINA} ENE_* DIC_* FIC_* "
        "DESCR COD_ID",
        "PIP": f"COD_ID DIST MUN CONJ SUB UNI_TR_AT CTMT UNI_TR_MT PN_CON {_LUMINARIA}",
        "UNTRMT": "COD_ID DIST PAC_1 PAC_2 FAS_CON_P FAS_CON_S SIT_ATIV POS ARE_LOC POT_NOM "
        "PER_FER PER_TOT DAT_CON CTMT UNI_TR_AT SUB CONJ MUN DESCR",
        "SUB": "COD_ID DIST POS NOME DESCR",
        "ARAT": "COD_ID DIST FUN_PR FUN_TE DESCR",
        "SSDMT": "COD_ID PN_CON_1 PN_CON_2 CTMT DIST DESCR",
        "CTMT": f"COD_ID NOME BARR SUB PAC_INI TEN_NOM TEN_OPE DIST UNI_TR_AT {_BALANCO} DESCR",
        "BE": "COD_ID DIST SUB_GRP ORG_ENER ENE_* DESCR",
        "PNT": "COD_ID DIST SUB_GRP ENE_* DESCR",
    },
    "M10": {
        "UCAT": f"PN_CON DIST PAC CEG CTAT SUB CONJ MUN {_CONTRATO} LIV DEM_P_* DEM_F_* ENE_P_* "
        "ENE_F_* DIC FIC DESCR ARE_LOC COD_ID",
        "UCMT": f"PN_CON DIST PAC CEG CTMT UNI_TR_S SUB CONJ MUN {_CONTRATO} LIV DEM_* ENE_* "
        "DIC FIC SEMRED DESCR ARE_LOC COD_ID",
        "UCBT": f"DIST PAC CEG PN_CON UNI_TR_D CTMT UNI_TR_S SUB CONJ MUN {_CONTRATO} LIV ENE_* "
        "DIC FIC SEMRED DESCR ARE_LOC COD_ID",
        "PONNOT": "COD_ID DIST TIP_PN POS ESTR MAT ESF ALT CONJ MUN ODI TI CM TUC A1 A2 A3 A4 A5 "
        "A6 SITCONT DESCR ARE_LOC",
        "CONJ": "COD_ID DIST NOM SIST_INTE SIST_SUBT DESCR",
        "CRVCRG": "COD_ID DIST TIP_DIA POT_# DESCR",
        "UGAT": f"PN_CON DIST PAC CTAT CEG {_USINA} DEM_P_* DEM_F_* ENE_P_* ENE_F_* DIC FIC DESCR "
        "COD_ID",
        "UGMT": f"PN_CON DIST PAC CEG CTMT UNI_TR_S {_USINA} DEM_* ENE_* DIC FIC DESCR COD_ID",
        "UGBT": f"PN_CON DIST PAC CEG UNI_TR_D CTMT UNI_TR_S {_USINA} ENE_* DIC FIC DESCR COD_ID",
        "PIP": f"COD_ID DIST MUN CONJ SUB UNI_TR_S CTMT UNI_TR_D PN_CON {_LUMINARIA}",
        "UNTRMT": "COD_ID DIST PAC_1 PAC_2 FAS_CON_P FAS_CON_S SIT_ATIV POS ARE_LOC POT_NOM "
        "PER_FER PER_TOT DAT_CON CTMT UNI_TR_S SUB CONJ MUN DESCR",
        "SUB": "COD_ID DIST POS NOM DESCR",
        "ARAT": "COD_ID DIST DESCR",
        "SSDMT": "COD_ID PN_CON_1 PN_CON_2 CTMT DIST DESCR",
        "CTMT": f"COD_ID DIST NOM BARR SUB TEN_NOM TEN_OPE UNI_TR_S {_BALANCO} DESCR",
        "BE": "COD_ID DIST SUB_GRP ORG_ENER ENE_* DESCR",
        "PNT": "COD_ID DIST SUB_GRP ENE_* DESCR",
    },
}
_VEZES = {"*": 12, "#": 96}
_POR_LARGURA = {
    2: "GRU_TEN SIT_ATIV TIP_DIA ARE_LOC POS ESTR MAT TI A1 A2 A3 A4 A5 A6",
    3: "TEN_FORN TIP_PN ESF ALT CM TUC SITCONT",
    4: "FAS_CON GRU_TAR",
    6: "UAR",
    7: "MUN",
    9: "CNAE",
    10: "DAT_INC DAT_FNL DAT_EXT DAT_CON",
    11: "TIP_SIST",
    15: "TIP_INST",
    21: "CEG CEG_GD",
    99: "ODI",
    254: "BRR DESCR NOME NOM",
}
_LARGURAS = {nome: n for n, nomes in _POR_LARGURA.items() for nome in nomes.split()}
"""Widths that no model changed; the rest is in `_largura`."""


def _largura(nome: str, camada: str, modelo: Modelo) -> int:
    if nome == "COD_ID" and camada.startswith("UC"):
        return 256
    mudou = {"CEP": (8, 10), "CLAS_SUB": (4, 5)}.get(nome, (20, 40))
    return _LARGURAS.get(nome, mudou[modelo == "V11"])


def colunas(camada: str, modelo: Modelo) -> list[str]:
    """Columns of a layer (``UCBT``) in the order of the release, months and points written out."""
    return [
        nome[:-1] + f"{k:02d}" if nome[-1] in _VEZES else nome
        for nome in _ORDEM[modelo][camada].split()
        for k in range(1, _VEZES.get(nome[-1], 1) + 1)
    ]


def _crua(nome: str) -> str:
    return RENOMES.get(nome.lower(), nome.lower())


def _esquema(camada: Camada, receita: Receita) -> pa.Schema:
    """Arrow schema of a layer; the width reaches OGR as field metadata."""
    tipos = {INTEIRO: pa.int32(), NUMERO: pa.float64()}
    campos = []
    for nome in colunas(camada.nome, receita.modelo):
        tipo = tipos.get(camada.colunas.get(_crua(nome), ""), pa.string())
        if nome == "POT_NOM" and receita.modelo == "M10":
            tipo = pa.string()
        if camada.nome == "CONJ" and nome == "COD_ID" and receita.modelo == "V11":
            tipo = pa.int32()
        meta = {"GDAL:OGR:width": str(_largura(nome, camada.nome, receita.modelo))}
        campos.append(pa.field(nome, tipo, metadata=meta if tipo == pa.string() else None))
    if camada.geometria:
        medidas = {"Point": (), "MultiLineString": ("Shape_Length",)}
        campos += [
            pa.field(nome, pa.float64())
            for nome in medidas.get(camada.geometria, ("Shape_Length", "Shape_Area"))
        ]
        campos.append(pa.field("Shape", pa.binary()))
    if camada not in CAMADAS_UC:
        return pa.schema(campos)
    if receita.tem(Defeito.SEM_COD_ID):
        campos = [c for c in campos if c.name != "COD_ID"]
    if receita.tem(Defeito.SEM_DEZEMBRO):
        campos = [c for c in campos if c.name not in ("ENE_12", "ENE_F_12")]
    if receita.tem(Defeito.COLUNA_EXTRA):
        campos.insert(3, pa.field("COLUNA_NOVA", pa.string()))
    if receita.tem(Defeito.TIPO_ERRADO) and camada.nome == "UCBT":
        campos = [c.with_type(pa.string()) if c.name == "ENE_01" else c for c in campos]
    return pa.schema(campos)


# ── How values are distributed (shares and medians measured on MUX 2024 and EFLUL 2020/2022) ──────
@dataclass(frozen=True)
class Perfil:
    """A kind of consumer: share of its layer, codes, and the scale of its consumption.

    Attributes:
        mediana: kWh a month in BT, contracted kW in MT and AT.
        dispersao: σ of the log of the former.
        trifasico: share with three phases (BT).
    """

    peso: float
    clas_sub: str
    gru_tar: str
    ten_forn: str
    curva: str
    cnaes: str
    mediana: float
    dispersao: float = 0.9
    trifasico: float = 1.0


_COMERCIO = "4711-3/02 4781-4/00 4530-7/03 4731-8/00 4789-0/99 5611-2/01 9602-5/01 4744-0/05"
_INDUSTRIA = "1091-1/02 3101-2/00 1412-6/01 2833-0/00 2512-8/00 1099-6/99 1813-0/01"
_CAMPO = "0115-6/00 0111-3/02 0121-1/01 0151-2/02 0155-5/01"
_PERFIS = {
    "UCBT": (
        Perfil(0.730, "RE1", "B1", "15", "RES", " ", 150, trifasico=0.14),
        Perfil(0.052, "RE2", "B1BR", "15", "RES", " ", 120, trifasico=0.02),
        Perfil(0.118, "CO1", "B3", "15", "COM", _COMERCIO, 175, 1.6, 0.45),
        Perfil(0.050, "RU1", "B2RU", "15", "RUR", _CAMPO, 300, 1.1, 0.3),
        Perfil(0.016, "CO6", "B3", "15", "COM", "8112-5/00", 100, 1.5, 0.3),
        Perfil(0.010, "IN", "B3", "15", "IND", _INDUSTRIA, 700, 1.5, 0.9),
        Perfil(0.008, "PP3", "B3", "15", "COM", "8411-6/00", 400, 1.6, 0.6),
        Perfil(0.004, "CO5", "B3", "15", "COM", "9491-0/00", 150, 1.5, 0.5),
        Perfil(0.004, "CO4", "B3", "15", "COM", "9430-8/00 9412-0/99", 260, 1.4, 0.5),
        Perfil(0.002, "SP2", "B3", "15", "SP", "3600-6/01", 1300, 1.8, 0.9),
        Perfil(0.002, "CO3", "B3", "15", "COM", "6110-8/01 6010-1/00", 1900, 1.0, 0.8),
        Perfil(0.002, "PP2", "B3", "15", "COM", "8412-4/00 8423-0/00", 860, 0.9, 0.7),
        Perfil(0.001, "RU4", "B2CO", "15", "RUR", _CAMPO, 260, 0.7, 0.5),
        Perfil(0.001, "IP", "B4A", "15", "IP", "8411-6/00", 1200, 0.6),
    ),
    "UCMT": (
        Perfil(0.35, "CO1", "A4", "49", "A4", "4711-3/02 4731-8/00 4683-4/00 4632-0/01", 80),
        Perfil(0.30, "IN", "A4", "49", "A4", "2093-2/00 1053-8/00 1113-5/02", 150, 1.1),
        Perfil(0.15, "IN", "B3", "49", "A4", _INDUSTRIA, 40, 0.5),
        Perfil(0.10, "PP3", "A4", "49", "A4", "8411-6/00", 60, 0.5),
        Perfil(0.05, "RU1", "A4", "49", "A4", _CAMPO, 100, 0.6),
        Perfil(0.05, "IN", "A3A", "72", "A3A", "1066-0/00 1011-2/01", 900, 0.6),
    ),
    "UCAT": (
        Perfil(0.75, "IN", "A3", "82", "A3", "2342-7/01 1011-2/01 1066-0/00", 4000, 0.7),
        Perfil(0.25, "IN", "A2", "94", "A2", "2320-6/00 1721-4/00", 15000, 0.6),
    ),
}
_PARTES = {"UCBT": 1.0, "UCMT": 0.004, "UCAT": 0.0008}
_CONJUNTO = 12722
_BAIRROS = "CENTRO,SAO CRISTOVAO,INDUSTRIAL,SAO PAULO,NOSSA SENHORA APARECIDA,INTERIOR,NA"
_ESTACAO = np.array([1.04, 1.05, 1.01, 0.99, 0.95, 1.01, 1.08, 1.02, 0.99, 0.91, 0.97, 1.00])
_HORAS_PONTA, _HORAS_FORA = 66.0, 664.0
_SOMEM, _CHEGAM, _MUDAM = 0.03, 0.04, 0.02
_ANO_ZERO, _ANO_BASE = 2000, 2024
BLOCO = 16_384
"""UCs drawn at a time: bounds memory; a UC's values do not depend on who shares its release."""


@dataclass(frozen=True)
class Sorteio:
    """Draws for one block of UCs, cut to the UCs that the vintage has."""

    rng: np.random.Generator
    vivas: slice

    def uniforme(self, *forma: int) -> np.ndarray:
        """In [0, 1), one per UC (× ``forma``)."""
        return self.rng.random((BLOCO, *forma))[self.vivas]

    def normal(self, *forma: int) -> np.ndarray:
        """Standard normal, one per UC (× ``forma``)."""
        return self.rng.standard_normal((BLOCO, *forma))[self.vivas]

    def um_de(self, pesos: Sequence[float]) -> np.ndarray:
        """Index of one of the weights."""
        acumulado = np.cumsum(pesos)
        return np.searchsorted(acumulado / acumulado[-1], self.uniforme(), side="right")


def _rng(receita: Receita, *chave: int) -> np.random.Generator:
    return np.random.default_rng([receita.semente, receita.distribuidora, *chave])


def _objetos(valores: Iterable[str | int]) -> np.ndarray:
    return np.array(list(valores), dtype=object)


@dataclass(frozen=True)
class Postes:
    """The poles of a distributor, the same in every vintage. All arrays have one entry per pole."""

    cod_id: np.ndarray
    municipio: np.ndarray
    bairro: np.ndarray
    are_loc: np.ndarray
    xy: np.ndarray
    acumulado: np.ndarray


def _postes(receita: Receita) -> Postes:
    """2.7 UCs per pole on average, 44 % of the poles without any, at most ~75 UCs on one."""
    rng = _rng(receita, 9)
    total = math.ceil(receita.ucs / 2.7)
    pesos = np.array([m.peso for m in receita.municipios])
    municipio = rng.choice(len(pesos), size=total, p=pesos / pesos.sum())
    centro = np.array([(m.longitude, m.latitude) for m in receita.municipios])
    # Beta keeps every pole within 3 km of the town and draws no coordinate twice.
    xy = centro[municipio] + (rng.beta(4, 4, (total, 2)) - 0.5) * 0.05
    uso = np.clip(np.exp(0.9 * rng.standard_normal(total)), None, 15) * (rng.random(total) < 0.56)
    uso[0] = 1.0
    bairros = _objetos(_BAIRROS.split(","))
    return Postes(
        cod_id=_objetos(map(str, range(1000, 1000 + total))),
        municipio=municipio,
        bairro=bairros[rng.integers(len(bairros), size=total)],
        are_loc=np.where(rng.random(total) < 0.95, "UB", "NU").astype(object),
        xy=xy,
        acumulado=np.cumsum(uso / uso.sum()),
    )


def _tamanho(camada: str, ucs: int) -> int:
    """UCs of a layer in the 2024 vintage; BT takes what MT and AT leave."""
    if camada == "UCBT":
        return ucs - _tamanho("UCMT", ucs) - _tamanho("UCAT", ucs)
    return math.ceil(ucs * _PARTES[camada])


def _janela(total: int, ano: int) -> tuple[int, int]:
    """First and last + 1 UC number of a vintage: the oldest 3 % leave, 4 % arrive at the end."""
    inicio = round(total * _SOMEM) * (ano - _ANO_ZERO)
    base = round(total * _SOMEM) * (_ANO_BASE - _ANO_ZERO) + total
    return inicio, base + round(total * _CHEGAM) * (ano - _ANO_BASE)


@cache
def _calendario() -> np.ndarray:
    """DD/MM/AAAA of every day from 01/01/1951 to 31/12/2101."""
    dias = np.arange("1951-01-01", "2102-01-01", dtype="datetime64[D]").astype(object)
    return _objetos(d.strftime("%d/%m/%Y") for d in dias)


def _dia(ano: np.ndarray, fracao: np.ndarray) -> np.ndarray:
    """Position in the calendar of a moment of a year."""
    primeiro = (ano - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return (primeiro - np.datetime64("1951-01-01")).astype(int) + (fracao * 365).astype(int)


def _chegada(numero: np.ndarray, total: int, fracao: np.ndarray) -> np.ndarray:
    """Year in which a UC number entered the releases; 1985–2000 for those before the first."""
    antiga = 1985 + (fracao * 16).astype(int)
    if not (novas := round(total * _CHEGAM)):
        return antiga
    fim = _janela(total, _ANO_BASE)[1]
    ano = _ANO_BASE - (fim - 1 - numero) // novas
    return np.where(ano > _ANO_ZERO, ano, antiga)


def _poste_da_uc(
    receita: Receita, s: Sorteio, chave: tuple[int, ...], postes: Postes
) -> np.ndarray:
    """Pole of each UC after every move up to the vintage."""
    poste = np.searchsorted(postes.acumulado[:-1], s.uniforme())
    for ano in range(_ANO_ZERO + 1, receita.ano + 1):
        m = Sorteio(_rng(receita, *chave, 1, ano), s.vivas)
        novo = np.searchsorted(postes.acumulado[:-1], m.uniforme())
        poste = np.where(m.uniforme() < _MUDAM, novo, poste)
    return poste


def _do_perfil(perfis: Sequence[Perfil], perfil: np.ndarray, s: Sorteio) -> Colunas:
    """Codes that follow from the kind of consumer."""
    cnaes = [p.cnaes.split(" ") if p.cnaes.strip() else [" "] for p in perfis]
    inicio = np.cumsum([0, *map(len, cnaes)])[perfil]
    quantos = np.array([len(c) for c in cnaes])[perfil]
    tri = s.uniforme() < np.array([p.trifasico for p in perfis])[perfil]
    fase = np.where(
        tri,
        _objetos(["ABCN", "ABN", "BCN", "CAN"])[s.um_de([6, 1, 1, 1])],
        _objetos(["AN", "BN", "CN"])[s.um_de([1] * 3)],
    )
    curvas = np.array([[f"{p.curva}_{k}" for k in range(1, 14)] for p in perfis], dtype=object)
    return {
        "clas_sub": _objetos(p.clas_sub for p in perfis)[perfil],
        "gru_tar": _objetos(p.gru_tar for p in perfis)[perfil],
        "cnae": _objetos(c for lista in cnaes for c in lista)[
            inicio + (s.uniforme() * quantos).astype(int)
        ],
        "tip_cc": curvas[perfil, (13 * s.uniforme() ** 2).astype(int)],
        "fas_con": fase,
        "ten_forn": np.where(tri, _objetos(p.ten_forn for p in perfis)[perfil], "10"),
    }


def _consumo_bt(escala: np.ndarray, vazia: np.ndarray, a: Sorteio) -> Colunas:
    """Monthly kWh: lognormal around the UC's own scale; 4 % of months and 1 % of UCs at zero."""
    ene = escala[:, None] * _ESTACAO * np.exp(0.25 * a.normal(12)) * (a.uniforme(12) > 0.04)
    ene[vazia] = 0.0
    return {"ene": np.round(ene, 5)}


def _consumo_demanda(
    camada: str, contratada: np.ndarray, optante: np.ndarray, a: Sorteio
) -> Colunas:
    """Demand around the contracted one, energy = demand × hours × load factor (≤ 1)."""
    dem = contratada[:, None] * _ESTACAO * np.clip(0.85 + 0.15 * a.normal(12), 0.2, 1.3)
    fator = (0.15 + 0.5 * a.uniforme())[:, None] * (0.85 + 0.15 * a.uniforme(12))
    if camada == "UCMT":
        ene = {"ene": dem * (_HORAS_PONTA + _HORAS_FORA) * fator}
        # Under a B tariff there is no demand to measure (7 of 40 in MUX).
        return {k: np.round(v, 5) for k, v in ene.items()} | {
            "dem": np.where(optante[:, None], 0.0, np.round(dem, 4))
        }
    dem_p = dem * (0.75 + 0.25 * a.uniforme(12))
    valores = {"dem_f": dem, "dem_p": dem_p}
    valores |= {"ene_f": dem * _HORAS_FORA * fator, "ene_p": dem_p * _HORAS_PONTA * fator}
    return {k: np.round(v, 4) for k, v in valores.items()}


def _interrupcoes(receita: Receita, a: Sorteio) -> Colunas:
    """DIC (h) and FIC: some months have an event that reaches many UCs, most have few."""
    chance = _rng(receita, 8, receita.ano).beta(0.5, 1.5, 12)
    fic = np.where(a.uniforme(12) < chance, np.floor(1 + 2.5 * a.uniforme(12) ** 2), 0.0)
    return {"fic": fic, "dic": np.round(fic * (0.1 + 0.8 * a.uniforme(12)), 5)}


def _lugar(
    receita: Receita, camada: str, numero: np.ndarray, poste: np.ndarray, p: Postes
) -> Colunas:
    """What follows from the pole that a UC hangs on."""
    trafo = poste // 12
    municipio = p.municipio[poste]
    codigos, ceps = (
        _objetos(getattr(m, campo) for m in receita.municipios) for campo in ("codigo", "cep")
    )
    if receita.modelo == "V11":
        ceps = _objetos(f"{c[:5]}-{c[5:]}" for c in ceps)
    return {
        "mun": codigos[municipio],
        "cep": ceps[municipio],
        "brr": p.bairro[poste],
        "are_loc": p.are_loc[poste],
        "pn_con": p.cod_id[poste],
        # Two nodes per pole: half of the BT rows of MUX share their PAC.
        "pac": _objetos(f"{camada[2:]}-{k}{i % 2}" for k, i in zip(poste, numero, strict=True)),
        "uni_tr_mt": _objetos(f"1_{t}" for t in trafo.tolist()),
        "ctmt": np.where(trafo % 5 < 3, "1_SE01_1", "2_SE01_1").astype(object),
    }


def _ucs(receita: Receita, camada: str, bloco: int, vivas: slice, postes: Postes) -> Colunas:
    """The UCs of a block that the vintage has, one row each, without faults.

    Among the columns is ``numero``, the UC's number in the layer, the same in every vintage.
    """
    chave = (ordem := list(_PERFIS).index(camada), bloco)
    s, a = (Sorteio(_rng(receita, *chave, *k), vivas) for k in ((0,), (2, receita.ano)))
    numero = np.arange(bloco * BLOCO, (bloco + 1) * BLOCO)[vivas]
    n, perfis = len(numero), _PERFIS[camada]
    perfil = s.um_de([p.peso for p in perfis])
    poste = _poste_da_uc(receita, s, chave, postes)
    col = {"numero": numero} | _do_perfil(perfis, perfil, s)
    col |= _lugar(receita, camada, numero, poste, postes)

    chegada, fracao = _chegada(numero, _tamanho(camada, receita.ucs), s.uniforme()), s.uniforme()
    mediana, dispersao = (
        np.array([getattr(p, campo) for p in perfis])[perfil] for campo in ("mediana", "dispersao")
    )
    escala = mediana * np.exp(dispersao * s.normal())
    gera = s.uniforme() < (0.03 if camada == "UCBT" else 0.1)
    prefixo = f"{receita.semente}/{receita.distribuidora}/{camada}/"
    col |= {
        "cod_id": _objetos(
            hashlib.sha256(f"{prefixo}{i}".encode()).hexdigest() for i in numero.tolist()
        ),
        "dist": np.full(n, receita.distribuidora),
        "ramal": _objetos(map(str, numero.tolist())),
        "conj": np.full(n, _CONJUNTO),
        "ceg_gd": _objetos(
            f"GD.RS.{ordem:03d}.{i // 1000 % 1000:03d}.{i % 1000:03d}" if g else " "
            for i, g in zip(numero.tolist(), gera, strict=True)
        ),
        "dat_con": _calendario()[_dia(chegada, fracao)],
        "liv": (s.uniforme() < {"UCBT": 0.0, "UCMT": 0.2, "UCAT": 0.8}[camada]).astype(int),
        "semred": (s.uniforme() < 0.11).astype(int),
    }
    fixos = {"gru_ten": camada[2:], "sit_ativ": "AT", "tip_sist": "RD_INTERLIG", "sub": "SE01"}
    fixos |= {"ctat": "LD01", "uni_tr_at": " ", "descr": " ", "coluna_nova": "novo"}
    col |= {nome: np.full(n, valor, dtype=object) for nome, valor in fixos.items()}

    if camada == "UCBT":
        escala = np.where(gera, escala * 0.4, escala)
        col |= _consumo_bt(escala, s.uniforme() < 0.01, a)
        col["car_inst"] = np.round(9.0 * np.exp(0.5 * s.normal()), 2)
    else:
        contratada = np.maximum(30.0, 5 * np.round(escala / 5))
        optante = np.char.startswith(col["gru_tar"].astype(str), "B")
        col |= _consumo_demanda(camada, contratada, optante, a)
        col["dem_cont"] = np.where(optante, 0.0, contratada)
        col["car_inst"] = np.round(contratada * (1.1 + s.uniforme()), 2)
    col |= _interrupcoes(receita, a)
    primeiro_mes = np.where(chegada < receita.ano, 0, fracao * 12).astype(int)
    ligada = np.arange(12) >= primeiro_mes[:, None]
    return {k: v * ligada if v.ndim == 2 else v for k, v in col.items()}


# ── Faults of values: each changes the columns of a block in place ────────────────────────────────
_TROCAS: dict[Defeito, tuple[tuple[str, int, tuple[str | int, ...]], ...]] = {
    Defeito.CNAE_INVALIDO: (("cnae", 61, ("0", "9999-9/99", "4711302", "COMERCIO", "4711-3/2")),),
    Defeito.PN_CON_ORFAO: (("pn_con", 331, ("ORFAO-1", "0", " ", "ORFAO-2")),),
    Defeito.CODIGO_FORA_DO_DOMINIO: (
        ("clas_sub", 211, ("XX9",)),
        ("ten_forn", 223, ("999",)),
        ("mun", 227, ("9999999",)),
    ),
    Defeito.TIP_SIST_DESCONHECIDO: (("tip_sist", 401, ("MIGDI", "SIGFI")),),
    Defeito.U_FFFD: (
        ("brr", 89, ("S\ufffdO CRIST\ufffdV\ufffdO", "ESTA\ufffd\ufffdO")),
        ("descr", 97, ("CER\ufffdMICA",)),
    ),
    Defeito.DIST_DIVERGENTE: (("dist", 127, (9999,)),),
    Defeito.COD_ID_EM_BRANCO: (("cod_id", 151, (" ",)),),
}
"""Fault → column, one UC in how many, and the values that those UCs get in turn."""


def _trocar(col: Colunas, nome: str, passo: int, valores: Sequence[str | int]) -> None:
    onde = np.flatnonzero(col["numero"] % passo == passo // 2)
    col[nome][onde] = _objetos(valores)[col["numero"][onde] // passo % len(valores)]


def _energia_negativa(col: Colunas, r: Receita, s: Sorteio) -> None:
    onde = np.flatnonzero(col["numero"] % 17 == 0)
    mes = col["numero"][onde] % 12
    for prefixo in {"ene", "ene_f"} & col.keys():
        col[prefixo][onde, mes] = -np.abs(col[prefixo][onde, mes]) - 1.0


def _cnae_em_branco(col: Colunas, r: Receita, s: Sorteio) -> None:
    col["cnae"][(col["gru_ten"] == "BT") & (s.uniforme() < 0.6)] = " "


def _data_sentinela(col: Colunas, r: Receita, s: Sorteio) -> None:
    depois = [f"{d:02d}/0{m}/{r.ano + 1}" for m in (1, 2) for d in range(1, 27)]
    valores = _objetos(["02/01/2001", "01/01/2000", "01/01/1951", " ", *depois])
    sorte = s.uniforme()
    qual = np.searchsorted([0.12, 0.17, 0.18, 0.185], sorte, side="right")
    qual = np.where(qual == 4, 4 + (sorte * 1e6).astype(int) % len(depois), qual)
    tem = sorte < 0.19
    col["dat_con"][tem] = valores[qual[tem]]


def _cep_variado(col: Colunas, r: Receita, s: Sorteio) -> None:
    formas = [lambda c: c, lambda c: "00000000", lambda c: " "]
    if r.modelo == "V11":
        formas += [lambda c: f"{c[:2]}.{c[2:5]}-{c[5:]}", lambda c: f"{c[:5]}-{c[5:]}"]
    qual = s.um_de([4, 0.3, 0.3, 2, 4][: len(formas)])
    col["cep"] = _objetos(
        formas[q](c.replace("-", "")) for q, c in zip(qual, col["cep"], strict=True)
    )


def _car_inst_em_w(col: Colunas, r: Receita, s: Sorteio) -> None:
    if "dem_cont" not in col:
        col["car_inst"] = col["car_inst"] * 1000


def _car_inst_mw(col: Colunas, r: Receita, s: Sorteio) -> None:
    if "dem_cont" in col:
        col["car_inst"] = col["dem_cont"] / 1000


def _demanda_zero(col: Colunas, r: Receita, s: Sorteio) -> None:
    if "dem_cont" in col:
        col["dem_cont"] = np.where(s.uniforme() < 0.5, 0.0, col["dem_cont"])
        zero = s.uniforme(12) < 0.57
        for prefixo in {"dem", "dem_p", "dem_f"} & col.keys():
            col[prefixo] = np.where(zero, 0.0, col[prefixo])


def _energia_impossivel(col: Colunas, r: Receita, s: Sorteio) -> None:
    if "dem_cont" in col:
        onde = np.flatnonzero(col["numero"] % 5 == 0)
        for prefixo in {"ene", "ene_f"} & col.keys():
            col[prefixo][onde] *= 50


def _dic_impossivel(col: Colunas, r: Receita, s: Sorteio) -> None:
    col["dic"][col["numero"] % 40 == 0, 4] = 9000.0


_MUDANCAS: dict[Defeito, Callable[[Colunas, Receita, Sorteio], None]] = {
    Defeito.CNAE_EM_BRANCO: _cnae_em_branco,
    Defeito.ENERGIA_NEGATIVA: _energia_negativa,
    Defeito.DATA_SENTINELA: _data_sentinela,
    Defeito.CEP_VARIADO: _cep_variado,
    Defeito.CAR_INST_EM_W: _car_inst_em_w,
    Defeito.DEM_CONT_CAR_INST_MW: _car_inst_mw,
    Defeito.DEMANDA_ZERO: _demanda_zero,
    Defeito.ENERGIA_IMPOSSIVEL: _energia_impossivel,
    Defeito.DIC_IMPOSSIVEL: _dic_impossivel,
}


def _estragar(col: Colunas, receita: Receita, chave: tuple[int, ...], vivas: slice) -> None:
    """Plant the faults of values that the recipe asks for."""
    for n, defeito in enumerate(Defeito):
        if not receita.tem(defeito):
            continue
        for troca in _TROCAS.get(defeito, ()):
            _trocar(col, *troca)
        if mudar := _MUDANCAS.get(defeito):
            mudar(col, receita, Sorteio(_rng(receita, *chave, 3, n), vivas))


def _historico(col: Colunas, ano: int) -> Colunas:
    """Split some UCs in the rows of a contract that changed in the year; months stay disjoint.

    1 UC in 40 (BT) or in 10 gets AT+DS, a few AT+DS+DS or DS+DS. The first row is the current one
    and has the last months.
    """
    bt = col["gru_ten"] == "BT"
    passo = np.where(bt, 40, 10)
    vez = (col["numero"] + 7 * ano) % (passo * 10)
    tres, so_ds = vez == 3, vez == 5
    linhas = 1 + ((vez % passo == 0) | tres | so_ds) + tres
    corte1 = 1 + col["numero"] % 5
    corte2 = np.where(tres, 6 + col["numero"] % 5, 12)
    meses = np.arange(12)
    periodo = (meses >= corte1[:, None]).astype(int) + (meses >= corte2[:, None])
    periodo[linhas == 1] = 0

    de = np.repeat(np.arange(len(linhas)), linhas)
    posicao = np.arange(len(de)) - np.repeat(np.cumsum(linhas) - linhas, linhas)
    dono = periodo[de] == (linhas[de] - 1 - posicao)[:, None]
    novo = {k: v[de] * dono if v.ndim == 2 else v[de] for k, v in col.items()}
    # DEM_CONT is not monthly: both rows carry it, as in MUX 2024.
    anterior = posicao > 0
    novo["sit_ativ"][anterior | so_ds[de]] = "DS"
    muda = (novo["numero"] // passo[de] + posicao) % 10
    classe = anterior & (muda < 7)
    residencial = novo["clas_sub"] == "RE1"
    for nome, de_res, de_outra in (("clas_sub", "CO1", "RE1"), ("gru_tar", "B3", "B1")):
        novo[nome][classe & bt[de] & residencial] = de_res
        novo[nome][classe & bt[de] & ~residencial] = de_outra
    novo["clas_sub"][classe & ~bt[de]] = "CO9"
    tensao = anterior & bt[de] & (muda == 7)
    novo["ten_forn"][tensao] = np.where(novo["ten_forn"][tensao] == "10", "15", "10")
    novo["cnae"][anterior & (muda == 8)] = "4712-1/00"
    return novo


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────
def _valores(col: Colunas, nome: str, tipo: pa.DataType) -> pa.Array:
    crua = _crua(nome)
    if crua in col:
        valor = col[crua] if col[crua].ndim == 1 else np.round(col[crua].sum(axis=1), 5)
    else:
        prefixo, mes = crua.rsplit("_", 1)
        valor = col[prefixo][:, int(mes) - 1]
        if tipo == pa.string():
            valor = _objetos("n/d" if k % 50 == 7 else str(v) for k, v in enumerate(valor.tolist()))
    return pa.array(valor, tipo, from_pandas=False)


def _lotes(
    receita: Receita, camada: Camada, postes: Postes, esquema: pa.Schema, resumo: Resumo
) -> Iterator[pa.RecordBatch]:
    """Batches of a UC layer; counts what it yields into ``resumo``."""
    resumo.kwh[camada.nome] = np.zeros(12)
    resumo.linhas[camada.nome] = resumo.ucs[camada.nome] = 0
    if camada.nome == "UCMT" and receita.tem(Defeito.CAMADA_VAZIA):
        return
    inicio, fim = _janela(_tamanho(camada.nome, receita.ucs), receita.ano)
    ordem = list(_PERFIS).index(camada.nome)
    for bloco in range(inicio // BLOCO, -(-fim // BLOCO)):
        vivas = slice(max(inicio - bloco * BLOCO, 0), min(fim - bloco * BLOCO, BLOCO))
        col = _ucs(receita, camada.nome, bloco, vivas, postes)
        _estragar(col, receita, (ordem, bloco), vivas)
        resumo.ucs[camada.nome] += int((col["cod_id"] != " ").sum())
        if receita.tem(Defeito.AT_DS) and camada.nome != "UCAT":
            col = _historico(col, receita.ano)
        resumo.linhas[camada.nome] += len(col["numero"])
        for prefixo in camada.energia:
            resumo.kwh[camada.nome] += col[prefixo].sum(axis=0)
        if "ene" in col:
            resumo.somar(camada.nome, col)
        yield pa.record_batch([_valores(col, c.name, c.type) for c in esquema], schema=esquema)


def _pontos(
    receita: Receita, postes: Postes, esquema: pa.Schema, resumo: Resumo
) -> Iterator[pa.RecordBatch]:
    """PONNOT, mostly concrete poles; 12 % are fictitious joints of the drawing, as in MUX."""
    nomes = "tip_pn tip_inst pos estr mat esf alt odi ti cm tuc a1 a2 a3 a4 a5 a6 uar sitcont"
    real = "POS RD_AER_URB PD DT CO 7 10 6 40 999 255 01 02 01 10 14 00 255-01 AT1"
    junta = "FLT RD_AER_URB PD 0 0 0 0 6 00 000 000 00 00 00 00 00 00 255-01 0"
    codigos = list(zip(nomes.split(), real.split(), junta.split(), strict=True))
    codigos.append(("descr", " ", "Poste ficticio para ajuste de desenho de rede"))
    municipios = _objetos(m.codigo for m in receita.municipios)
    ficticios = _rng(receita, 7).random(len(postes.cod_id)) < 0.12
    for inicio in range(0, len(ficticios), BLOCO):
        bloco = slice(inicio, inicio + BLOCO)
        ficticio = ficticios[bloco]
        col = {k: np.where(ficticio, b, a).astype(object) for k, a, b in codigos}
        col["are_loc"] = postes.are_loc[bloco]
        col["tip_inst"][col["are_loc"] == "NU"] = "RD_AER_RUR"
        col["cod_id"] = postes.cod_id[bloco]
        col["mun"] = municipios[postes.municipio[bloco]]
        col["dist"] = np.full(len(ficticio), receita.distribuidora)
        col["conj"] = np.full(len(ficticio), _CONJUNTO)
        xy = postes.xy[bloco]
        if receita.tem(Defeito.PONTO_FORA_DO_BRASIL):
            xy = np.full_like(xy, 10.0)
        col["shape"] = shapely.to_wkb(shapely.points(xy))
        yield pa.record_batch([_valores(col, c.name, c.type) for c in esquema], schema=esquema)


def _conjunto(
    receita: Receita, postes: Postes, esquema: pa.Schema, resumo: Resumo
) -> Iterator[pa.RecordBatch]:
    """One set of UCs whose polygon holds every pole."""
    area = shapely.MultiPolygon([shapely.box(*postes.xy.min(axis=0), *postes.xy.max(axis=0))])
    linha = {"dist": receita.distribuidora, "nome": "CONJUNTO SINTETICO", "descr": " "}
    linha |= {"cod_id": _CONJUNTO, "sist_inte": 1, "sist_subt": 0}
    linha |= {"shape_length": area.length, "shape_area": area.area, "shape": shapely.to_wkb(area)}
    if receita.modelo == "M10":
        linha["cod_id"] = str(_CONJUNTO)
    col = {nome: np.array([valor], dtype=object) for nome, valor in linha.items()}
    yield pa.record_batch([_valores(col, c.name, c.type) for c in esquema], schema=esquema)


_HORAS = np.arange(96) / 4
_FORMAS: dict[str, Callable[[float], np.ndarray]] = {
    "RES": lambda u: 0.4 + 0.3 * _morro(12, 3) + (0.6 + 0.5 * u) * _morro(19.5, 1.5),
    "IP": lambda u: 1.0 * ((_HORAS < 6) | (_HORAS >= 18)),
    "COM": lambda u: 0.3 + 0.9 * _morro(13, 4) + 0.3 * u * _morro(19, 1),
}
"""Kind of consumer → its day, of a draw in [0, 1); who has none works as a shop does."""


def _morro(centro: float, largura: float) -> np.ndarray:
    return np.exp(-(((_HORAS - centro) / largura) ** 2))


def _curvas(
    receita: Receita, postes: Postes, esquema: pa.Schema, resumo: Resumo
) -> Iterator[pa.RecordBatch]:
    """CRVCRG: the 13 curves of every kind of consumer, for weekday, Saturday and Sunday."""
    tensao = {p.curva: camada[2:] for camada, perfis in _PERFIS.items() for p in perfis}
    rng = _rng(receita, 6)
    linhas = [
        (f"{nome}_{k}", dia, 10.0 * k * fator * _FORMAS.get(nome, _FORMAS["COM"])(rng.random()))
        for nome in tensao
        for k in range(1, 14)
        for dia, fator in (("DU", 1.0), ("SA", 0.8), ("DO", 0.6))
    ]
    codigos, dias, potencias = zip(*linhas, strict=True)
    grupos = _objetos(tensao[codigo.rpartition("_")[0]] for codigo in codigos)
    col = {"cod_id": _objetos(codigos), "tip_dia": _objetos(dias), "gru_ten": grupos}
    col |= {"pot": np.round(np.array(potencias), 4)}
    col |= {
        "dist": np.full(len(linhas), receita.distribuidora),
        "descr": _objetos(" " * len(linhas)),
    }
    yield pa.record_batch([_valores(col, c.name, c.type) for c in esquema], schema=esquema)


_CIRCUITOS = ("1_SE01_1", "2_SE01_1")
Montagem = Callable[[Receita, Postes, pa.Schema, Resumo], Iterator[pa.RecordBatch]]


def _lote(receita: Receita, col: Colunas, esquema: pa.Schema, **fixos: str) -> pa.RecordBatch:
    """A batch of these columns; what every network layer has goes by itself."""
    linhas = len(next(iter(col.values())))
    comuns = {"descr": " ", "sub": "SE01", "uni_tr_at": " ", "sit_ativ": "AT", "pos": "PD", **fixos}
    col = {k: np.full(linhas, v, dtype=object) for k, v in comuns.items()} | col
    col |= {"dist": np.full(linhas, receita.distribuidora), "conj": np.full(linhas, _CONJUNTO)}
    return pa.record_batch([_valores(col, c.name, c.type) for c in esquema], schema=esquema)


def _sem_linhas(
    receita: Receita, postes: Postes, esquema: pa.Schema, resumo: Resumo
) -> Iterator[pa.RecordBatch]:
    """UGAT, which small distributors have empty."""
    yield from ()


def _usinas(camada: str, parte: float) -> Montagem:
    """UGMT or UGBT: for each so many units of that voltage one small solar plant."""

    def montar(
        receita: Receita, postes: Postes, esquema: pa.Schema, resumo: Resumo
    ) -> Iterator[pa.RecordBatch]:
        quantas = math.ceil(parte * resumo.linhas.get(camada.replace("G", "C"), 0))
        rng, numero = _rng(receita, 10, int(camada == "UGMT")), np.arange(quantas)
        col = _lugar(receita, camada, numero, rng.integers(len(postes.xy), size=quantas), postes)
        potencia = np.round(
            (5 if camada == "UGBT" else 150) * np.exp(0.6 * rng.normal(size=quantas))
        )
        chave = f"{receita.semente}/{receita.distribuidora}/{camada}/"
        sha = _objetos(hashlib.sha256(f"{chave}{i}".encode()).hexdigest() for i in range(quantas))
        nada = np.zeros((quantas, 12))
        col |= {
            "cod_id": sha,
            "ceg_gd": _objetos(f"GD.RS.009.{i // 1000:03d}.{i % 1000:03d}" for i in range(quantas)),
            "pot_inst": potencia,
            "dem_cont": np.zeros(quantas),
            "ene": np.round(potencia[:, None] * 110 * rng.uniform(0.7, 1.3, (quantas, 12)), 5),
            "dem": np.repeat(potencia[:, None], 12, axis=1),
            **{"dic": nada, "fic": nada},
        }
        resumo.somar(camada, col)
        ligacao = {"gru_ten": camada[2:], "ten_con": "10", "fas_con": "ABCN", "cnae": " "}
        ligacao |= {"tip_sist": "RD_INTERLIG", "dat_con": "01/07/2015"}
        yield _lote(receita, col, esquema, **ligacao)

    return montar


def _luminarias(
    receita: Receita, postes: Postes, esquema: pa.Schema, resumo: Resumo
) -> Iterator[pa.RecordBatch]:
    """PIP: a lamp on every fourth pole."""
    poste = np.arange(0, len(postes.xy), 4)
    quantas = len(poste)
    col = _lugar(receita, "PIP", poste, poste, postes)
    col |= {
        "cod_id": _objetos(map(str, range(quantas))),
        "pot_lamp": np.full(quantas, 100.0),
        "car_inst": np.full(quantas, 0.1),
        "ene": np.round(35 * _rng(receita, 11).uniform(0.9, 1.1, (quantas, 12)), 5),
    }
    resumo.somar("PIP", col)
    ligacao = {
        "clas_sub": "IP",
        "fas_con": "AN",
        "gru_ten": "BT",
        "ten_forn": "10",
        "gru_tar": "B4A",
    }
    yield _lote(receita, col, esquema, **ligacao, tip_cc="IP_1", dat_con="01/01/2010")


def _transformadores(
    receita: Receita, postes: Postes, esquema: pa.Schema, resumo: Resumo
) -> Iterator[pa.RecordBatch]:
    """UNTRMT (UNTRD): one for twelve poles, on the first of them."""
    poste = np.arange(0, len(postes.xy), 12)
    col = _lugar(receita, "UNTRMT", poste, poste, postes)
    potencias = np.array([15.0, 30.0, 45.0, 75.0, 112.5, 150.0])
    qual = _rng(receita, 12).integers(len(potencias), size=len(poste))
    codigos = _objetos(["4", "8", "13", "16", "20", "24"])
    col |= {
        "cod_id": col["uni_tr_mt"],
        "pot_nom": codigos[qual] if receita.modelo == "M10" else potencias[qual],
        "per_fer": np.round(4 * potencias[qual]),
        "per_tot": np.round(20 * potencias[qual]),
        "shape": shapely.to_wkb(shapely.points(postes.xy[poste])),
        **{f"pac_{k}": _objetos(f"ET{k}-{p}" for p in poste) for k in (1, 2)},
    }
    yield _lote(receita, col, esquema, fas_con_p="ABC", fas_con_s="ABCN", dat_con="01/01/2010")


def _poligono(
    receita: Receita, xy: np.ndarray, esquema: pa.Schema, **textos: str
) -> pa.RecordBatch:
    """One row, whose polygon is the box of these points."""
    area = shapely.MultiPolygon([shapely.box(*xy.min(axis=0), *xy.max(axis=0))])
    col = {nome: _objetos([valor]) for nome, valor in textos.items()}
    col |= {"fun_pr": np.array([0]), "fun_te": np.array([0])}
    col |= {"shape_length": np.array([area.length]), "shape_area": np.array([area.area])}
    return _lote(receita, col | {"shape": _objetos([shapely.to_wkb(area)])}, esquema)


def _subestacao(
    receita: Receita, postes: Postes, esquema: pa.Schema, resumo: Resumo
) -> Iterator[pa.RecordBatch]:
    meio = postes.xy.mean(axis=0)
    cerca = np.array([meio - 0.0005, meio + 0.0005])
    nomes = dict.fromkeys(("nome", "nom"), "SUBESTACAO SINTETICA")
    yield _poligono(receita, cerca, esquema, cod_id="SE01", **nomes)


def _area(
    receita: Receita, postes: Postes, esquema: pa.Schema, resumo: Resumo
) -> Iterator[pa.RecordBatch]:
    yield _poligono(receita, postes.xy, esquema, cod_id="AREA-1")


def _linhas(
    receita: Receita, postes: Postes, esquema: pa.Schema, resumo: Resumo
) -> Iterator[pa.RecordBatch]:
    """SSDMT: a straight line from the substation to each transformer's pole."""
    poste = np.arange(0, len(postes.xy), 12)
    meio = postes.xy.mean(axis=0)
    linhas = [shapely.MultiLineString([[meio, fim]]) for fim in postes.xy[poste]]
    col = _lugar(receita, "SSDMT", poste, poste, postes)
    col |= {
        "cod_id": _objetos(map(str, range(len(poste)))),
        **{"pn_con_1": postes.cod_id[poste], "pn_con_2": postes.cod_id[poste]},
        "shape_length": shapely.length(linhas),
        "shape": shapely.to_wkb(linhas),
    }
    yield _lote(receita, col, esquema)


def _alimentadores(
    receita: Receita, postes: Postes, esquema: pa.Schema, resumo: Resumo
) -> Iterator[pa.RecordBatch]:
    """CTMT: what went in is what came out, and 6 % on top: 5 % technical, 1 % not."""
    faturada = np.array([resumo.do_circuito(c, "UCMT", "UCBT", "PIP") for c in _CIRCUITOS])
    gerada = np.array([resumo.do_circuito(c, "UGMT", "UGBT") for c in _CIRCUITOS])
    ano = faturada.sum(axis=1)
    col = {f"perd_{onde}": np.zeros(2) for onde in PERDAS}
    col |= {"perd_a4": np.round(0.03 * ano), "perd_b": np.round(0.01 * ano)}
    col |= {
        "perd_a4_b": np.round(0.01 * ano),
        "cod_id": _objetos(_CIRCUITOS),
        "ten_ope": np.ones(2),
        "ene": np.round(1.06 * faturada - gerada, 3),
        "pntmt": np.round(0.002 * faturada, 3),
        "pntbt": np.round(0.008 * faturada, 3),
        **dict.fromkeys(("nome", "barr", "pac_ini"), _objetos(["AL1", "AL2"])),
    }
    yield _lote(receita, col, esquema, ten_nom="49")


def _balanco(
    receita: Receita, postes: Postes, esquema: pa.Schema, resumo: Resumo
) -> Iterator[pa.RecordBatch]:
    """BE, MWh: what was billed and generated, by subgroup and origin."""
    de = {
        ("A3", "FML"): resumo.kwh.get("UCAT", np.zeros(12)),
        ("A4", "FMC"): sum(resumo.do_circuito(c, "UCMT") for c in _CIRCUITOS),
        ("B", "FMC"): sum(resumo.do_circuito(c, "UCBT", "PIP") for c in _CIRCUITOS),
        ("A4", "IGD"): sum(resumo.do_circuito(c, "UGMT") for c in _CIRCUITOS),
        ("B", "IGD"): sum(resumo.do_circuito(c, "UGBT") for c in _CIRCUITOS),
    }
    subgrupos, origens = zip(*de, strict=True)
    col = {"sub_grp": _objetos(subgrupos), "org_ener": _objetos(origens)}
    col |= {"cod_id": _objetos("12345"), "ene": np.round(np.array([*de.values()]) / 1000, 3)}
    yield _lote(receita, col, esquema)


def _nao_tecnicas(
    receita: Receita, postes: Postes, esquema: pa.Schema, resumo: Resumo
) -> Iterator[pa.RecordBatch]:
    """PNT, MWh: CTMT's, by subgroup."""
    faturada = sum(resumo.do_circuito(c, "UCMT", "UCBT", "PIP") for c in _CIRCUITOS)
    col = {"sub_grp": _objetos(["A4", "B"]), "cod_id": _objetos("12")}
    col["ene"] = np.round(np.array([0.002 * faturada, 0.008 * faturada]) / 1000, 3)
    yield _lote(receita, col, esquema)


def _base(receita: Receita) -> pa.Table:
    anos = [receita.ano] + [receita.ano - 1] * receita.tem(Defeito.DUAS_BASES)
    textos = {
        "DAT_INC": [f"01/01/{a}" for a in anos],
        "DAT_FNL": [f"31/12/{a}" for a in anos],
        "DAT_EXT": [f"31/12/{a}" for a in anos],
        "DESCR": [f"DADOS SINTETICOS, semente {receita.semente}"] * len(anos),
    }
    campos = [
        pa.field(nome, pa.string(), metadata={"GDAL:OGR:width": str(_LARGURAS[nome])})
        for nome in textos
    ]
    return pa.table(
        [
            pa.array([receita.distribuidora] * len(anos), pa.int32()),
            *map(pa.array, textos.values()),
        ],
        schema=pa.schema([pa.field("DIST", pa.int32()), *campos]),
    )


def _gravar(gdb: Path, nome: str, dados: pa.RecordBatchReader, receita: Receita) -> None:
    """Add one layer to the geodatabase, streaming; geometry where there is a column Shape."""
    geo: dict[str, object] = {}
    if "Shape" in dados.schema.names:
        tipo = next(c.geometria for c in CAMADAS if nome in c.nomes)
        geo = {"geometry_name": "Shape", "geometry_type": tipo, "crs": "EPSG:4674"}
        geo["layer_options"] = {"GEOMETRY_NAME": "Shape"}
    if nome[:2] in ("UC", "UG") and not receita.tem(Defeito.SEM_SUFIXO_TAB):
        nome += "_tab"
    if receita.tem(Defeito.NOMES_MINUSCULOS):
        nome = nome.lower()
        esquema = pa.schema(
            [c if c.name == "Shape" else c.with_name(c.name.lower()) for c in dados.schema]
        )
        lotes = (pa.record_batch(lote.columns, schema=esquema) for lote in dados)
        dados = pa.RecordBatchReader.from_batches(esquema, lotes)
    pyogrio.write_arrow(dados, gdb, layer=nome, driver="OpenFileGDB", **geo)


@contextmanager
def _identificadores_repetiveis() -> Iterator[None]:
    """Make GDAL derive the GUIDs of a geodatabase from a counter, so that bytes repeat."""
    opcao = "OPENFILEGDB_REPRODUCIBLE_UUID"
    antes = pyogrio.get_gdal_config_option(opcao)
    pyogrio.set_gdal_config_options({opcao: True})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({opcao: antes})


def _camadas(receita: Receita, gdb: Path, resumo: Resumo) -> None:
    postes = _postes(receita)
    faltam = {
        "UCAT": Defeito.SEM_CAMADA_UCAT,
        "UCBT": Defeito.SEM_CAMADA_UCBT,
        "PONNOT": Defeito.SEM_CAMADA_PONNOT,
    }
    if not receita.tem(Defeito.SEM_BASE):
        _gravar(gdb, "BASE", _base(receita).to_reader(), receita)
    for camada in CAMADAS:
        falta = faltam.get(camada.nome, Defeito.SEM_CAMADAS_DA_REDE)
        if camada.nome != "UCMT" and receita.tem(falta):
            continue
        esquema = _esquema(camada, receita)
        if camada in CAMADAS_UC:
            lotes = _lotes(receita, camada, postes, esquema, resumo)
        else:
            lotes = _contados(
                _DA_REDE[camada.nome](receita, postes, esquema, resumo), camada, resumo
            )
        dados = pa.RecordBatchReader.from_batches(esquema, lotes)
        _gravar(gdb, camada.nomes[-1 if receita.modelo == "M10" else 0], dados, receita)


_DA_REDE = {
    **{"PONNOT": _pontos, "CONJ": _conjunto, "CRVCRG": _curvas, "PIP": _luminarias},
    **{"UGAT": _sem_linhas, "UGMT": _usinas("UGMT", 0.1), "UGBT": _usinas("UGBT", 0.03)},
    **{"UNTRMT": _transformadores, "SUB": _subestacao, "ARAT": _area, "SSDMT": _linhas},
    **{"CTMT": _alimentadores, "BE": _balanco, "PNT": _nao_tecnicas},
}


def _contados(
    lotes: Iterator[pa.RecordBatch], camada: Camada, resumo: Resumo
) -> Iterator[pa.RecordBatch]:
    resumo.linhas[camada.nome] = 0
    for lote in lotes:
        resumo.linhas[camada.nome] += lote.num_rows
        yield lote


def _comprimir(gdb: Path, destino: Path) -> None:
    """Zip a geodatabase with fixed dates: equal content, equal sha256."""
    with zipfile.ZipFile(destino, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as arquivo:
        for parte in sorted(gdb.iterdir()):
            info = zipfile.ZipInfo(f"{gdb.name}/{parte.name}", (2000, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            with parte.open("rb") as origem, arquivo.open(info, "w", force_zip64=True) as saida:
                shutil.copyfileobj(origem, saida, 1 << 20)


def escrever(receita: Receita, destino: Path) -> Resumo:
    """Write the release to ``destino`` (``x.gdb`` or ``x.gdb.zip``) and say what is in it.

    Nothing is at ``destino`` until it is complete.

    Raises:
        ValueError: the name ends in neither.
        FileExistsError: something is there already; it is left alone.
    """
    if not destino.name.endswith((".gdb", ".gdb.zip")):
        raise ValueError(f"{destino}: the name must end in .gdb or .gdb.zip.")
    if destino.exists():
        raise FileExistsError(f"{destino} exists; remove it or choose another name.")
    destino.parent.mkdir(parents=True, exist_ok=True)
    resumo = Resumo(arquivo=destino)
    with tempfile.TemporaryDirectory(dir=destino.parent, prefix=".sintetico-") as pasta:
        gdb = pronto = Path(pasta, destino.name.removesuffix(".zip"))
        with _identificadores_repetiveis():
            _camadas(receita, gdb, resumo)
        if destino.suffix == ".zip":
            pronto = Path(pasta, destino.name)
            _comprimir(gdb, pronto)
        pronto.rename(destino)
    return resumo


def gerar(
    destino: Path,
    *,
    ucs: int = Receita.ucs,
    semente: int = Receita.semente,
    distribuidora: int = Receita.distribuidora,
    ano: int = Receita.ano,
    modelo: Modelo = Receita.modelo,
    defeitos: Iterable[str] = (),
    municipios: tuple[Municipio, ...] = MUNICIPIOS,
) -> Path:
    """Write a synthetic release and return its path; `Receita` explains the arguments."""
    receita = Receita(
        ucs=ucs,
        semente=semente,
        distribuidora=distribuidora,
        ano=ano,
        modelo=modelo,
        defeitos=frozenset(map(Defeito, defeitos)),
        municipios=municipios,
    )
    return escrever(receita, destino).arquivo


AJUDA = "Faz uma geodatabase da BDGD inventada."


def comando(
    destino: Annotated[Path, typer.Argument(help="x.gdb ou x.gdb.zip, que ainda não existe")],
    ucs: Annotated[int, typer.Option(help="unidades consumidoras da safra de 2024")] = Receita.ucs,
    ano: Annotated[int, typer.Option(help="ano da safra")] = Receita.ano,
    distribuidora: Annotated[int, typer.Option(help="código da ANEEL")] = Receita.distribuidora,
    semente: Annotated[int, typer.Option(help="mesma semente, mesmo conteúdo")] = Receita.semente,
    modelo: Annotated[Modelo, typer.Option(help="modelo de dados da ANEEL")] = Receita.modelo,
    defeito: Annotated[
        list[Defeito] | None,
        typer.Option(help="defeito a plantar, repetível; sem nenhum: a mistura de costume"),
    ] = None,
    limpo: Annotated[bool, typer.Option("--limpo", help="sem nenhum defeito")] = False,
) -> None:
    """Make a synthetic BDGD geodatabase."""
    try:
        receita = Receita(
            ucs=ucs,
            semente=semente,
            distribuidora=distribuidora,
            ano=ano,
            modelo=modelo,
            defeitos=frozenset(defeito or (() if limpo else PADRAO)),
        )
        resumo = escrever(receita, destino)
    except (ValueError, FileExistsError) as erro:
        raise typer.BadParameter(str(erro)) from erro
    linhas = ", ".join(f"{camada} {n}" for camada, n in resumo.linhas.items())
    typer.echo(f"{resumo.arquivo}: {linhas}; {sum(k.sum() for k in resumo.kwh.values()):.2f} kWh")
