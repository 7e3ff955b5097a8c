"""What ANEEL's BDGD layers look like: columns, types, and the names older models gave them.

Belongs here: the definition of a raw layer, used by loader, synthetic data and checks. Not here:
reading or writing anything.
"""

from dataclasses import dataclass, field
from typing import Literal

TEXTO, INTEIRO, NUMERO = "text", "integer", "double precision"
Geometria = Literal["", "Point", "MultiLineString", "MultiPolygon"]


def _meses(*prefixos: str) -> dict[str, str]:
    return {f"{p}_{m:02d}": NUMERO for p in prefixos for m in range(1, 13)}


def _texto(nomes: str) -> dict[str, str]:
    return dict.fromkeys(nomes.split(), TEXTO)


@dataclass(frozen=True)
class Camada:
    """A BDGD layer and the raw table that it lands in.

    Attributes:
        nome: ANEEL's name without the ``_tab`` suffix, as in ``camada_enum``.
        colunas: raw column → PostgreSQL type; lower-case V11 names (PRODIST Módulo 10, DDA).
        energia: prefixes of the monthly energy columns (kWh), the quantity that is conserved.
        geometria: what shape a release gives its rows; empty for a table.
    """

    nome: str
    colunas: dict[str, str] = field(repr=False)
    energia: tuple[str, ...] = ()
    geometria: Geometria = ""

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
    | _texto("descr"),
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

CAMADAS_UC = (UCAT, UCMT, UCBT)
CAMADAS = (*CAMADAS_UC, PONNOT, CONJ, CRVCRG)

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
