"""Everything that decides a synthetic release: sizes, seed, model, faults, municípios.

Belongs here: the recipe and what is said of the result. Not here: what follows from it.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np

Model = Literal["M10", "V11"]
Values = dict[str, np.ndarray]
"""Raw column name → one value per UC; a monthly prefix (``ene``) → an array of UCs × 12."""


class Fault(StrEnum):
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
    ALIMENTADOR_EM_MWH = "alimentador_em_mwh"
    """Energy and losses of CTMT in MWh: a thousandth of what its units are billed in kWh."""
    PONTO_FORA_DO_BRASIL = "ponto_fora_do_brasil"
    """Every pole at 10, 10."""
    SEM_CAMADAS_DA_REDE = "sem_camadas_da_rede"
    """None of the layers that are not units and poles: an export of the units alone."""


USUAL = frozenset(
    {
        Fault.AT_DS,
        Fault.CNAE_EM_BRANCO,
        Fault.PN_CON_ORFAO,
        Fault.CODIGO_FORA_DO_DOMINIO,
        Fault.TIP_SIST_DESCONHECIDO,
        Fault.CEP_VARIADO,
        Fault.DATA_SENTINELA,
    }
)
"""What an ordinary release has: the mix that ``make run`` loads."""


@dataclass(frozen=True)
class Municipio:
    """A município served: IBGE code, a point of its town (EPSG:4674), CEP, share of poles."""

    code: str
    longitude: float
    latitude: float
    cep: str
    weight: float


MUNICIPIOS = (
    Municipio("4320909", -52.010, -28.068, "99950000", 0.75),
    Municipio("4309803", -51.858, -28.055, "99940000", 0.17),
    Municipio("4316733", -51.928, -28.161, "99952000", 0.08),
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides a synthetic release; equal recipes give equal bytes.

    Attributes:
        ucs: consumer units of the 2024 vintage, all layers together (≥ 50). Per year 3 % vanish
            and 4 % are new, so other vintages have a little more or less.
        seed: the same seed in another ``ano`` is the same distributor a year later: 2 % of the
            UCs moved to another pole, other attributes as they were, energy drawn again.
        distribuidora: ANEEL's code.
        ano: vintage, 2001 to 2100.
        model: columns of M10 (yearly DIC and FIC, no DEM_CONT) or V11.
        faults: faults to plant.
        municipios: where the poles stand.
        anomalias: whether to plant anomalies (anomalies.py) and list them beside the release.
    """

    ucs: int = 5000
    seed: int = 1
    distribuidora: int = 401
    ano: int = 2024
    model: Model = "V11"
    faults: frozenset[Fault] = frozenset()
    municipios: tuple[Municipio, ...] = MUNICIPIOS
    anomalias: bool = False

    def __post_init__(self) -> None:
        """Refuse a recipe that no release could come from."""
        if self.ucs < 50:
            raise ValueError(f"ucs = {self.ucs}: ask for at least 50.")
        if not 2001 <= self.ano <= 2100:
            raise ValueError(f"ano = {self.ano}: ask for a year from 2001 to 2100.")
        if self.model not in get_args(Model):
            raise ValueError(f"modelo = {self.model}: ask for one of {get_args(Model)}.")

    def has(self, *faults: Fault) -> bool:
        """Whether any of these faults is asked for."""
        return not self.faults.isdisjoint(faults)


class Planted(NamedTuple):
    """An anomaly that is in a release: of a unit (layer and COD_ID) or of an area; 1 to 12."""

    level: str
    layer: str
    series: str
    month: int | None
    kind: str


@dataclass
class Summary:
    """What was written, counted before GDAL saw it: the truth that a load is checked against.

    Attributes:
        file: the geodatabase.
        rows: layer (``UCBT``) → rows.
        ucs: UC layer → distinct non-blank COD_ID, also where the column itself is left out.
        kwh: UC layer → energy of each of the 12 months; peak + off-peak for UCAT.
        circuitos: layer, feeder → energy of each of the 12 months.
        planted: the anomalies, where the recipe asks for them.
    """

    file: Path
    rows: dict[str, int] = field(default_factory=dict)
    ucs: dict[str, int] = field(default_factory=dict)
    kwh: dict[str, np.ndarray] = field(default_factory=dict)
    circuitos: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    planted: list[Planted] = field(default_factory=list)

    def add(self, layer: str, col: Values) -> None:
        """Add the energy of some rows to their feeders'."""
        for circuito in np.unique(col["ctmt"].astype(str)):
            before = self.circuitos.get((layer, circuito), np.zeros(12))
            self.circuitos[layer, circuito] = before + col["ene"][col["ctmt"] == circuito].sum(0)

    def of_circuit(self, circuito: str, *layers: str) -> np.ndarray:
        """The energy of these layers on a feeder, kWh a month."""
        return sum((self.circuitos.get((c, circuito), np.zeros(12)) for c in layers), np.zeros(12))
