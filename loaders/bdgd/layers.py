"""What ANEEL's BDGD layers look like: columns, types, and the names older models gave them.

Belongs here: the definition of a raw layer, used by loader, synthetic data and checks. Not here:
reading or writing anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from loaders.errors import InvalidInput

TEXT, INTEGER, NUMBER = "text", "integer", "double precision"
NUMBERS = "double precision[]"
GEOMETRY = "geometry(Geometry,4674)"
PERDAS = "a3a a4 b med a3aa4 a3a_b a4a3a a4_b b_a3a b_a4".split()  # noqa: SIM905
"""Where CTMT's technical losses arise: lines of a voltage, meters, transformers between two."""
GeometryType = Literal["", "Point", "MultiLineString", "MultiPolygon"]


def _months(*prefixes: str) -> dict[str, str]:
    return {f"{p}_{m:02d}": NUMBER for p in prefixes for m in range(1, 13)}


def _all_of(dtype: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), dtype)


def _text(names: str) -> dict[str, str]:
    return _all_of(TEXT, names)


@dataclass(frozen=True)
class Layer:
    """A BDGD layer and the raw table that it lands in.

    Attributes:
        name: ANEEL's name without the ``_tab`` suffix, as in ``camada_enum``.
        columns: raw column → PostgreSQL type; lower-case V11 names (PRODIST Módulo 10, DDA).
        energy: prefixes of the monthly energy columns (kWh), the quantity that is conserved.
        geometry: what shape a release gives its rows; empty for a table.
        partial_load: the columns here are all that is wanted of it.
        in_m10: the layer's name in model M10, and columns that are a code there, if not a real.
    """

    name: str
    columns: dict[str, str] = field(repr=False)
    energy: tuple[str, ...] = ()
    geometry: GeometryType = ""
    partial_load: bool = False
    in_m10: tuple[str, Mapping[str, str]] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What a release may call it, without the ``_tab`` suffix."""
        return (self.name, self.in_m10[0]) if self.in_m10 else (self.name,)

    @property
    def table(self) -> str:
        """Name of the raw table and of its leaves' prefix."""
        return self.name.lower()

    @property
    def energy_columns(self) -> list[str]:
        """The monthly energy columns in calendar order per prefix."""
        return [f"{p}_{m:02d}" for p in self.energy for m in range(1, 13)]

    @property
    def series(self) -> list[str]:
        """Prefixes of all twelve-month columns: energy, demand, DIC, FIC."""
        prefixes = [name.removesuffix("_01") for name in self.columns if name.endswith("_01")]
        return [prefix for prefix in prefixes if f"{prefix}_13" not in self.columns]


_UC = (
    _text("cod_id")
    | {"dist": INTEGER}
    | _text("pac ceg_gd pn_con sub")
    | {"conj": INTEGER}
    | _text(
        "mun lgrd brr cep clas_sub cnae tip_cc fas_con gru_ten ten_forn gru_tar sit_ativ dat_con"
    )
    | {"car_inst": NUMBER, "liv": INTEGER}
    | _text("are_loc tip_sist descr")
    | {"dic": NUMBER, "fic": NUMBER}
    | _months("dic", "fic")
    | {"point_x": NUMBER, "point_y": NUMBER}
)

UCAT = Layer(
    "UCAT",
    _UC | _text("ctat") | {"dem_cont": NUMBER} | _months("dem_p", "dem_f", "ene_p", "ene_f"),
    energy=("ene_p", "ene_f"),
)
UCMT = Layer(
    "UCMT",
    _UC | _text("ctmt uni_tr_at") | {"dem_cont": NUMBER, "semred": INTEGER} | _months("dem", "ene"),
    energy=("ene",),
)
UCBT = Layer(
    "UCBT",
    _UC | _text("ctmt uni_tr_at uni_tr_mt ramal") | {"semred": INTEGER} | _months("ene"),
    energy=("ene",),
)
PONNOT = Layer(
    "PONNOT",
    _text("cod_id")
    | {"dist": INTEGER}
    | _text("tip_pn tip_inst pos estr mat esf alt are_loc")
    | {"conj": INTEGER}
    | _text("mun odi ti cm tuc a1 a2 a3 a4 a5 a6 uar sitcont descr")
    | {"point_x": NUMBER, "point_y": NUMBER},
    geometry="Point",
)
CONJ = Layer(
    "CONJ",
    _text("cod_id")
    | {"dist": INTEGER}
    | _text("nome")
    | {"sist_inte": INTEGER, "sist_subt": INTEGER}
    | _text("descr")
    | {"geom": GEOMETRY},
    geometry="MultiPolygon",
)
CRVCRG = Layer(
    "CRVCRG",
    _text("cod_id")
    | {"dist": INTEGER}
    | _text("tip_dia gru_ten")
    | {f"pot_{k:02d}": NUMBER for k in range(1, 97)}
    | _text("descr"),
)

_UG = (
    _text("cod_id")
    | {"dist": INTEGER}
    | _text("pac pn_con ceg_gd sub")
    | {"conj": INTEGER}
    | _text("mun lgrd brr cep cnae fas_con gru_ten ten_con sit_ativ dat_con tip_sist descr")
    | {"pot_inst": NUMBER, "dem_cont": NUMBER, "dic": NUMBER, "fic": NUMBER}
    | _months("dic", "fic")
)
UGAT = Layer(
    "UGAT",
    _UG | _text("ctat") | _months("dem_p", "dem_f", "ene_p", "ene_f"),
    energy=("ene_p", "ene_f"),
)
UGMT = Layer("UGMT", _UG | _text("ctmt uni_tr_at") | _months("dem", "ene"), energy=("ene",))
UGBT = Layer(
    "UGBT", _UG | _text("ctmt uni_tr_mt uni_tr_at ramal") | _months("ene"), energy=("ene",)
)
PIP = Layer(
    "PIP",
    _text("cod_id uc_id")
    | {"dist": INTEGER, "conj": INTEGER}
    | _text("mun sub uni_tr_at ctmt uni_tr_mt pn_con clas_sub fas_con gru_ten ten_forn gru_tar")
    | _text("sit_ativ are_loc pac tip_cc tipo_lamp controle liv semred tip_sist dat_con descr")
    | _all_of(NUMBER, "car_inst pot_lamp perda_reat perda_rele perda_outr dic fic")
    | _months("ene"),
    energy=("ene",),
)
UNTRMT = Layer(
    "UNTRMT",
    _text("cod_id pac_1 pac_2 pac_3 fas_con_p fas_con_s fas_con_t sit_ativ tip_unid pos cap_elo")
    | _text("cap_cha are_loc conf posto pot_nom_codigo dat_con ctmt uni_tr_at sub mun tip_trafo")
    | _text("atrb_per banc mrt descr")
    | _all_of(NUMBER, "ten_lin_se tap pot_nom per_fer per_tot")
    | _all_of(INTEGER, "dist conj")
    | {"point_x": NUMBER, "point_y": NUMBER},
    geometry="Point",
    # M10 says the power by a code of DDA TPOTAPRT.
    in_m10=("UNTRD", {"pot_nom": "pot_nom_codigo"}),
)
SUB = Layer(
    "SUB",
    _text("cod_id pos nome descr") | {"dist": INTEGER, "geom": GEOMETRY},
    geometry="MultiPolygon",
)
ARAT = Layer(
    "ARAT",
    _text("cod_id descr")
    | {"dist": INTEGER, "fun_pr": INTEGER, "fun_te": INTEGER, "geom": GEOMETRY},
    geometry="MultiPolygon",
)
SSDMT = Layer(
    "SSDMT",
    _text("cod_id ctmt") | {"dist": INTEGER, "geom": GEOMETRY},
    geometry="MultiLineString",
    partial_load=True,
)
CTMT = Layer(
    "CTMT",
    _text("cod_id nome barr sub pac_ini ten_nom atip reconfig uni_tr_at descr")
    | {"ten_ope": NUMBER, "dist": INTEGER}
    | {f"perd_{levels}": NUMBER for levels in PERDAS}
    | _months("ene", "pntmt", "pntbt"),
)
BE = Layer("BE", _text("cod_id sub_grp org_ener descr") | {"dist": INTEGER} | _months("ene"))
PNT = Layer("PNT", _text("cod_id sub_grp descr") | {"dist": INTEGER} | _months("ene"))

UC_LAYERS = (UCAT, UCMT, UCBT)
ALL_LAYERS = (
    *(*UC_LAYERS, PONNOT, CONJ, CRVCRG, UGAT, UGMT, UGBT, PIP, UNTRMT),
    *(SUB, ARAT, SSDMT, CTMT, BE, PNT),
)
DECISIVE_LAYERS = (*UC_LAYERS, PONNOT, CONJ)
"""A delivery stands or falls with them; what is wrong in another layer is told and left out."""
COMPLEMENT = Layer(
    "COMPLEMENTO",
    _text("origem cod_id pn_con pac sit_ativ lgrd brr cep")
    | {"energia": NUMBERS, "point_x": NUMBER, "point_y": NUMBER}
    | _text("uc correspondencia motivo"),
)
"""Rows of ``_pj`` CSVs that landed beside a geodatabase, of all UC layers (complement.py)."""
COMPLEMENTS = {c.name: replace(c, name=f"COMPLEMENTO_{c.name}") for c in UC_LAYERS}
"""UC layer → the same layer as the ledger calls it where its rows are a complement."""
RAW_TABLES = (*ALL_LAYERS, COMPLEMENT)
"""Every raw table that has a leaf for each safra."""
LAYERS_WITH_ENERGY = tuple(layer for layer in ALL_LAYERS if layer.energy)

RENAMES = {
    "ceg": "ceg_gd",
    "uni_tr_d": "uni_tr_mt",
    "uni_tr_s": "uni_tr_at",
    "nom": "nome",
    "cod_id_encr": "cod_id",
}
"""Source column (lower case) → raw column. M10 names, and the key's name in the ``_pj`` CSVs."""

_NAMES = {name: layer.name for layer in ALL_LAYERS for name in layer.names} | {"BASE": "BASE"}


def known_name(name: str) -> str | None:
    """``UCBT`` for ``ucbt_tab``, ``UNTRMT`` for M10's ``UNTRD``; None for what is not read."""
    return _NAMES.get(name.upper().removesuffix("_TAB"))


def said_name(text: str) -> str:
    """The same of what a person wrote.

    Raises:
        InvalidInput: it is none of ours; names those that are.
    """
    if name := known_name(text):
        return name
    raise InvalidInput(f"{text!r} não é uma camada que se carrega: {', '.join(_NAMES)}")


PERSONAL_COLUMNS = frozenset({"descr", "lgrd"})
"""Columns that may hold names and addresses: read by the loader's role alone."""

IGNORED = frozenset({"objectid", "shape_length", "shape_area", "data_base"})
"""Source columns that carry nothing to land: the row number and geometry bookkeeping."""
