"""What a release of ANEEL's looks like: column order, widths, by data model.

Belongs here: the form of layers. Not here: values (units.py), raw tables (loaders/bdgd/layers.py).
"""

import pyarrow as pa

from loaders.bdgd.layers import INTEGER, NUMBER, RENAMES, UC_LAYERS, Layer
from loaders.synthetic.recipe import Fault, Model, Recipe

_CONTRACT = (
    "BRR CEP CLAS_SUB CNAE TIP_CC FAS_CON GRU_TEN TEN_FORN GRU_TAR SIT_ATIV DAT_CON CAR_INST"
)
_PLANT = (
    "CONJ MUN SUB BRR CEP CNAE FAS_CON GRU_TEN TEN_CON SIT_ATIV DAT_CON POT_INST DEM_CONT TIP_SIST"
)
_LAMP = (
    "CLAS_SUB FAS_CON GRU_TEN TEN_FORN GRU_TAR SIT_ATIV ARE_LOC PAC TIP_CC CAR_INST POT_LAMP ENE_* "
    "DAT_CON DESCR"
)
_BALANCE = (
    "ENE_* PERD_A3a PERD_A4 PERD_B PERD_MED PERD_A3aA4 PERD_A3a_B PERD_A4A3a PERD_A4_B PERD_B_A3a "
    "PERD_B_A4 PNTMT_* PNTBT_*"
)
_ORDER: dict[Model, dict[str, str]] = {
    "V11": {
        "UCAT": f"PN_CON DIST PAC CTAT SUB CONJ MUN CEG_GD {_CONTRACT} DEM_CONT LIV ARE_LOC "
        "TIP_SIST DEM_P_* DEM_F_* ENE_P_* ENE_F_* DIC_* FIC_* DESCR COD_ID",
        "UCMT": f"PN_CON DIST PAC CTMT UNI_TR_AT SUB CONJ MUN CEG_GD {_CONTRACT} DEM_CONT LIV "
        "ARE_LOC TIP_SIST DEM_* ENE_* DIC_* FIC_* SEMRED DESCR COD_ID",
        "UCBT": "DIST PAC RAMAL PN_CON UNI_TR_MT CTMT UNI_TR_AT SUB CONJ MUN CEG_GD "
        f"{_CONTRACT} LIV ARE_LOC TIP_SIST ENE_* DIC_* FIC_* SEMRED DESCR COD_ID",
        "PONNOT": "COD_ID DIST TIP_PN TIP_INST POS ESTR MAT ESF ALT ARE_LOC CONJ MUN ODI TI CM "
        "TUC A1 A2 A3 A4 A5 A6 UAR SITCONT DESCR",
        "CONJ": "COD_ID DIST NOME SIST_INTE SIST_SUBT DESCR",
        "CRVCRG": "COD_ID DIST TIP_DIA POT_# GRU_TEN DESCR",
        "UGAT": f"PN_CON DIST PAC CTAT CEG_GD {_PLANT} DEM_P_* DEM_F_* ENE_P_* ENE_F_* DIC_* "
        "FIC_* DESCR COD_ID",
        "UGMT": f"PN_CON DIST PAC CEG_GD CTMT UNI_TR_AT {_PLANT} DEM_* ENE_* DIC_* FIC_* DESCR "
        "COD_ID",
        "UGBT": f"PN_CON DIST PAC CEG_GD UNI_TR_MT CTMT UNI_TR_AT {_PLANT} ENE_* DIC_* FIC_* "
        "DESCR COD_ID",
        "PIP": f"COD_ID DIST MUN CONJ SUB UNI_TR_AT CTMT UNI_TR_MT PN_CON {_LAMP}",
        "UNTRMT": "COD_ID DIST PAC_1 PAC_2 FAS_CON_P FAS_CON_S SIT_ATIV POS ARE_LOC POT_NOM "
        "PER_FER PER_TOT DAT_CON CTMT UNI_TR_AT SUB CONJ MUN DESCR",
        "SUB": "COD_ID DIST POS NOME DESCR",
        "ARAT": "COD_ID DIST FUN_PR FUN_TE DESCR",
        "SSDMT": "COD_ID PN_CON_1 PN_CON_2 CTMT DIST DESCR",
        "CTMT": f"COD_ID NOME BARR SUB PAC_INI TEN_NOM TEN_OPE DIST UNI_TR_AT {_BALANCE} DESCR",
        "BE": "COD_ID DIST SUB_GRP ORG_ENER ENE_* DESCR",
        "PNT": "COD_ID DIST SUB_GRP ENE_* DESCR",
    },
    "M10": {
        "UCAT": f"PN_CON DIST PAC CEG CTAT SUB CONJ MUN {_CONTRACT} LIV DEM_P_* DEM_F_* ENE_P_* "
        "ENE_F_* DIC FIC DESCR ARE_LOC COD_ID",
        "UCMT": f"PN_CON DIST PAC CEG CTMT UNI_TR_S SUB CONJ MUN {_CONTRACT} LIV DEM_* ENE_* "
        "DIC FIC SEMRED DESCR ARE_LOC COD_ID",
        "UCBT": f"DIST PAC CEG PN_CON UNI_TR_D CTMT UNI_TR_S SUB CONJ MUN {_CONTRACT} LIV ENE_* "
        "DIC FIC SEMRED DESCR ARE_LOC COD_ID",
        "PONNOT": "COD_ID DIST TIP_PN POS ESTR MAT ESF ALT CONJ MUN ODI TI CM TUC A1 A2 A3 A4 A5 "
        "A6 SITCONT DESCR ARE_LOC",
        "CONJ": "COD_ID DIST NOM SIST_INTE SIST_SUBT DESCR",
        "CRVCRG": "COD_ID DIST TIP_DIA POT_# DESCR",
        "UGAT": f"PN_CON DIST PAC CTAT CEG {_PLANT} DEM_P_* DEM_F_* ENE_P_* ENE_F_* DIC FIC DESCR "
        "COD_ID",
        "UGMT": f"PN_CON DIST PAC CEG CTMT UNI_TR_S {_PLANT} DEM_* ENE_* DIC FIC DESCR COD_ID",
        "UGBT": f"PN_CON DIST PAC CEG UNI_TR_D CTMT UNI_TR_S {_PLANT} ENE_* DIC FIC DESCR COD_ID",
        "PIP": f"COD_ID DIST MUN CONJ SUB UNI_TR_S CTMT UNI_TR_D PN_CON {_LAMP}",
        "UNTRMT": "COD_ID DIST PAC_1 PAC_2 FAS_CON_P FAS_CON_S SIT_ATIV POS ARE_LOC POT_NOM "
        "PER_FER PER_TOT DAT_CON CTMT UNI_TR_S SUB CONJ MUN DESCR",
        "SUB": "COD_ID DIST POS NOM DESCR",
        "ARAT": "COD_ID DIST DESCR",
        "SSDMT": "COD_ID PN_CON_1 PN_CON_2 CTMT DIST DESCR",
        "CTMT": f"COD_ID DIST NOM BARR SUB TEN_NOM TEN_OPE UNI_TR_S {_BALANCE} DESCR",
        "BE": "COD_ID DIST SUB_GRP ORG_ENER ENE_* DESCR",
        "PNT": "COD_ID DIST SUB_GRP ENE_* DESCR",
    },
}
_TIMES = {"*": 12, "#": 96}
_BY_WIDTH = {
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
WIDTHS = {name: n for n, names in _BY_WIDTH.items() for name in names.split()}
"""Widths that no model changed; the rest is in `width`."""


def width(name: str, layer: str, model: Model) -> int:
    """Characters that a text column of a layer holds."""
    if name == "COD_ID" and layer.startswith("UC"):
        return 256
    changed = {"CEP": (8, 10), "CLAS_SUB": (4, 5)}.get(name, (20, 40))
    return WIDTHS.get(name, changed[model == "V11"])


def columns(layer: str, model: Model) -> list[str]:
    """Columns of a layer (``UCBT``) in the order of the release, months and points written out."""
    return [
        name[:-1] + f"{k:02d}" if name[-1] in _TIMES else name
        for name in _ORDER[model][layer].split()
        for k in range(1, _TIMES.get(name[-1], 1) + 1)
    ]


def raw_name(name: str) -> str:
    """The raw table's name for a release's column."""
    return RENAMES.get(name.lower(), name.lower())


def layer_schema(layer: Layer, recipe: Recipe) -> pa.Schema:
    """Arrow schema of a layer; the width reaches OGR as field metadata."""
    dtypes = {INTEGER: pa.int32(), NUMBER: pa.float64()}
    schema_fields = []
    for name in columns(layer.name, recipe.model):
        dtype = dtypes.get(layer.columns.get(raw_name(name), ""), pa.string())
        if name == "POT_NOM" and recipe.model == "M10":
            dtype = pa.string()
        if layer.name == "CONJ" and name == "COD_ID" and recipe.model == "V11":
            dtype = pa.int32()
        meta = {"GDAL:OGR:width": str(width(name, layer.name, recipe.model))}
        schema_fields.append(pa.field(name, dtype, metadata=meta if dtype == pa.string() else None))
    if layer.geometry:
        measures = {"Point": (), "MultiLineString": ("Shape_Length",)}
        schema_fields += [
            pa.field(name, pa.float64())
            for name in measures.get(layer.geometry, ("Shape_Length", "Shape_Area"))
        ]
        schema_fields.append(pa.field("Shape", pa.binary()))
    if layer not in UC_LAYERS:
        return pa.schema(schema_fields)
    if recipe.has(Fault.SEM_COD_ID):
        schema_fields = [c for c in schema_fields if c.name != "COD_ID"]
    if recipe.has(Fault.SEM_DEZEMBRO):
        schema_fields = [c for c in schema_fields if c.name not in ("ENE_12", "ENE_F_12")]
    if recipe.has(Fault.COLUNA_EXTRA):
        schema_fields.insert(3, pa.field("COLUNA_NOVA", pa.string()))
    if recipe.has(Fault.TIPO_ERRADO) and layer.name == "UCBT":
        schema_fields = [
            c.with_type(pa.string()) if c.name == "ENE_01" else c for c in schema_fields
        ]
    return pa.schema(schema_fields)
