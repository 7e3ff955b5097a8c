"""What ANEEL's BDGD layers look like: columns, types, and the names older models gave them.

Belongs here: the definition of a raw layer, used by loader, synthetic data and checks. Not here:
reading or writing anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

TEXTO, INTEIRO, NUMERO = "text", "integer", "double precision"
FORMA = "geometry(Geometry,4674)"
PERDAS = "a3a a4 b med a3aa4 a3a_b a4a3a a4_b b_a3a b_a4".split()  # noqa: SIM905
"""Where CTMT's technical losses arise: lines of a voltage, meters, transformers between two."""
Geometria = Literal["", "Point", "MultiLineString", "MultiPolygon"]


def _meses(*prefixos: str) -> dict[str, str]:
    return {f"{p}_{m:02d}": NUMERO for p in prefixos for m in range(1, 13)}


def _de(tipo: str, nomes: str) -> dict[str, str]:
    return dict.fromkeys(nomes.split(), tipo)


def _texto(nomes: str) -> dict[str, str]:
    return _de(TEXTO, nomes)


@dataclass(frozen=True)
class Camada:
    """A BDGD layer and the raw table that it lands in.

    Attributes:
        nome: ANEEL's name without the ``_tab`` suffix, as in ``camada_enum``.
        colunas: raw column → PostgreSQL type; lower-case V11 names (PRODIST Módulo 10, DDA).
        energia: prefixes of the monthly energy columns (kWh), the quantity that is conserved.
        geometria: what shape a release gives its rows; empty for a table.
        parcial: the columns here are all that is wanted of it.
        no_m10: the layer's name in model M10, and columns that are a code there, if not a real.
    """

    nome: str
    colunas: dict[str, str] = field(repr=False)
    energia: tuple[str, ...] = ()
    geometria: Geometria = ""
    parcial: bool = False
    no_m10: tuple[str, Mapping[str, str]] | None = None

    @property
    def nomes(self) -> tuple[str, ...]:
        """What a release may call it, without the ``_tab`` suffix."""
        return (self.nome, self.no_m10[0]) if self.no_m10 else (self.nome,)

    @property
    def tabela(self) -> str:
        """Name of the raw table and of its leaves' prefix."""
        return self.nome.lower()

    @property
    def colunas_energia(self) -> list[str]:
        """The monthly energy columns in calendar order per prefix."""
        return [f"{p}_{m:02d}" for p in self.energia for m in range(1, 13)]

    @property
    def series(self) -> list[str]:
        """Prefixes of all twelve-month columns: energy, demand, DIC, FIC."""
        prefixos = [nome.removesuffix("_01") for nome in self.colunas if nome.endswith("_01")]
        return [prefixo for prefixo in prefixos if f"{prefixo}_13" not in self.colunas]


_UC = (
    _texto("cod_id")
    | {"dist": INTEIRO}
    | _texto("pac ceg_gd pn_con sub")
    | {"conj": INTEIRO}
    | _texto(
        "mun lgrd brr cep clas_sub cnae tip_cc fas_con gru_ten ten_forn gru_tar sit_ativ dat_con"
    )
    | {"car_inst": NUMERO, "liv": INTEIRO}
    | _texto("are_loc tip_sist descr")
    | {"dic": NUMERO, "fic": NUMERO}
    | _meses("dic", "fic")
    | {"point_x": NUMERO, "point_y": NUMERO}
)

UCAT = Camada(
    "UCAT",
    _UC | _texto("ctat") | {"dem_cont": NUMERO} | _meses("dem_p", "dem_f", "ene_p", "ene_f"),
    energia=("ene_p", "ene_f"),
)
UCMT = Camada(
    "UCMT",
    _UC | _texto("ctmt uni_tr_at") | {"dem_cont": NUMERO, "semred": INTEIRO} | _meses("dem", "ene"),
    energia=("ene",),
)
UCBT = Camada(
    "UCBT",
    _UC | _texto("ctmt uni_tr_at uni_tr_mt ramal") | {"semred": INTEIRO} | _meses("ene"),
    energia=("ene",),
)
PONNOT = Camada(
    "PONNOT",
    _texto("cod_id")
    | {"dist": INTEIRO}
    | _texto("tip_pn tip_inst pos estr mat esf alt are_loc")
    | {"conj": INTEIRO}
    | _texto("mun odi ti cm tuc a1 a2 a3 a4 a5 a6 uar sitcont descr")
    | {"point_x": NUMERO, "point_y": NUMERO},
    geometria="Point",
)
CONJ = Camada(
    "CONJ",
    _texto("cod_id")
    | {"dist": INTEIRO}
    | _texto("nome")
    | {"sist_inte": INTEIRO, "sist_subt": INTEIRO}
    | _texto("descr")
    | {"geom": FORMA},
    geometria="MultiPolygon",
)
CRVCRG = Camada(
    "CRVCRG",
    _texto("cod_id")
    | {"dist": INTEIRO}
    | _texto("tip_dia gru_ten")
    | {f"pot_{k:02d}": NUMERO for k in range(1, 97)}
    | _texto("descr"),
)

_UG = (
    _texto("cod_id")
    | {"dist": INTEIRO}
    | _texto("pac pn_con ceg_gd sub")
    | {"conj": INTEIRO}
    | _texto("mun lgrd brr cep cnae fas_con gru_ten ten_con sit_ativ dat_con tip_sist descr")
    | {"pot_inst": NUMERO, "dem_cont": NUMERO, "dic": NUMERO, "fic": NUMERO}
    | _meses("dic", "fic")
)
UGAT = Camada(
    "UGAT",
    _UG | _texto("ctat") | _meses("dem_p", "dem_f", "ene_p", "ene_f"),
    energia=("ene_p", "ene_f"),
)
UGMT = Camada("UGMT", _UG | _texto("ctmt uni_tr_at") | _meses("dem", "ene"), energia=("ene",))
UGBT = Camada(
    "UGBT", _UG | _texto("ctmt uni_tr_mt uni_tr_at ramal") | _meses("ene"), energia=("ene",)
)
PIP = Camada(
    "PIP",
    _texto("cod_id uc_id")
    | {"dist": INTEIRO, "conj": INTEIRO}
    | _texto("mun sub uni_tr_at ctmt uni_tr_mt pn_con clas_sub fas_con gru_ten ten_forn gru_tar")
    | _texto("sit_ativ are_loc pac tip_cc tipo_lamp controle liv semred tip_sist dat_con descr")
    | _de(NUMERO, "car_inst pot_lamp perda_reat perda_rele perda_outr dic fic")
    | _meses("ene"),
    energia=("ene",),
)
UNTRMT = Camada(
    "UNTRMT",
    _texto("cod_id pac_1 pac_2 pac_3 fas_con_p fas_con_s fas_con_t sit_ativ tip_unid pos cap_elo")
    | _texto("cap_cha are_loc conf posto pot_nom_codigo dat_con ctmt uni_tr_at sub mun tip_trafo")
    | _texto("atrb_per banc mrt descr")
    | _de(NUMERO, "ten_lin_se tap pot_nom per_fer per_tot")
    | _de(INTEIRO, "dist conj")
    | {"point_x": NUMERO, "point_y": NUMERO},
    geometria="Point",
    # M10 says the power by a code of DDA TPOTAPRT.
    no_m10=("UNTRD", {"pot_nom": "pot_nom_codigo"}),
)
SUB = Camada(
    "SUB",
    _texto("cod_id pos nome descr") | {"dist": INTEIRO, "geom": FORMA},
    geometria="MultiPolygon",
)
ARAT = Camada(
    "ARAT",
    _texto("cod_id descr") | {"dist": INTEIRO, "fun_pr": INTEIRO, "fun_te": INTEIRO, "geom": FORMA},
    geometria="MultiPolygon",
)
SSDMT = Camada(
    "SSDMT",
    _texto("cod_id ctmt") | {"dist": INTEIRO, "geom": FORMA},
    geometria="MultiLineString",
    parcial=True,
)
CTMT = Camada(
    "CTMT",
    _texto("cod_id nome barr sub pac_ini ten_nom atip reconfig uni_tr_at descr")
    | {"ten_ope": NUMERO, "dist": INTEIRO}
    | {f"perd_{entre}": NUMERO for entre in PERDAS}
    | _meses("ene", "pntmt", "pntbt"),
)
BE = Camada("BE", _texto("cod_id sub_grp org_ener descr") | {"dist": INTEIRO} | _meses("ene"))
PNT = Camada("PNT", _texto("cod_id sub_grp descr") | {"dist": INTEIRO} | _meses("ene"))

CAMADAS_UC = (UCAT, UCMT, UCBT)
CAMADAS = (
    *(*CAMADAS_UC, PONNOT, CONJ, CRVCRG, UGAT, UGMT, UGBT, PIP, UNTRMT),
    *(SUB, ARAT, SSDMT, CTMT, BE, PNT),
)
CAMADAS_DECISIVAS = (*CAMADAS_UC, PONNOT, CONJ)
"""A delivery stands or falls with them; what is wrong in another layer is told and left out."""
CAMADAS_COM_ENERGIA = tuple(camada for camada in CAMADAS if camada.energia)

RENOMES = {
    "ceg": "ceg_gd",
    "uni_tr_d": "uni_tr_mt",
    "uni_tr_s": "uni_tr_at",
    "nom": "nome",
    "cod_id_encr": "cod_id",
}
"""Source column (lower case) → raw column. M10 names, and the key's name in the ``_pj`` CSVs."""

PESSOAIS = frozenset({"descr", "lgrd"})
"""Columns that may hold names and addresses: read by the loader's role alone."""

IGNORADAS = frozenset({"objectid", "shape_length", "shape_area", "data_base"})
"""Source columns that carry nothing to land: the row number and geometry bookkeeping."""
