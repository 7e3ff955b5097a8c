"""The layers beside the units: poles, sets, curves, plants, lamps, the grid, the balance.

Belongs here: their rows. Not here: consumer units (units.py), files (writer.py).
"""

import hashlib
import math
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import shapely

from loaders.bdgd.layers import PERDAS
from loaders.synthetic.form import raw_name
from loaders.synthetic.recipe import Fault, Recipe, Summary, Values
from loaders.synthetic.units import BLOCK, PROFILES, SET_CODE, Poles, objects, placed_at, rng_of


def to_arrow(col: Values, name: str, dtype: pa.DataType) -> pa.Array:
    """The values that a release has under this column's name."""
    raw = raw_name(name)
    if raw in col:
        value = col[raw] if col[raw].ndim == 1 else np.round(col[raw].sum(axis=1), 5)
    else:
        prefix, month = raw.rsplit("_", 1)
        value = col[prefix][:, int(month) - 1]
        if dtype == pa.string():
            value = objects("n/d" if k % 50 == 7 else str(v) for k, v in enumerate(value.tolist()))
    return pa.array(value, dtype, from_pandas=False)


def _points(
    recipe: Recipe, poles: Poles, schema: pa.Schema, summary: Summary
) -> Iterator[pa.RecordBatch]:
    """PONNOT, mostly concrete poles; 12 % are fictitious joints of the drawing, as in MUX."""
    names = "tip_pn tip_inst pos estr mat esf alt odi ti cm tuc a1 a2 a3 a4 a5 a6 uar sitcont"
    real = "POS RD_AER_URB PD DT CO 7 10 6 40 999 255 01 02 01 10 14 00 255-01 AT1"
    joint = "FLT RD_AER_URB PD 0 0 0 0 6 00 000 000 00 00 00 00 00 00 255-01 0"
    codes = list(zip(names.split(), real.split(), joint.split(), strict=True))
    codes.append(("descr", " ", "Poste ficticio para ajuste de desenho de rede"))
    municipios = objects(m.code for m in recipe.municipios)
    fictitious_ones = rng_of(recipe, 7).random(len(poles.cod_id)) < 0.12
    for start in range(0, len(fictitious_ones), BLOCK):
        block = slice(start, start + BLOCK)
        fictitious = fictitious_ones[block]
        col = {k: np.where(fictitious, b, a).astype(object) for k, a, b in codes}
        col["are_loc"] = poles.are_loc[block]
        col["tip_inst"][col["are_loc"] == "NU"] = "RD_AER_RUR"
        col["cod_id"] = poles.cod_id[block]
        col["mun"] = municipios[poles.municipio[block]]
        col["dist"] = np.full(len(fictitious), recipe.distribuidora)
        col["conj"] = np.full(len(fictitious), SET_CODE)
        xy = poles.xy[block]
        if recipe.has(Fault.PONTO_FORA_DO_BRASIL):
            xy = np.full_like(xy, 10.0)
        col["shape"] = shapely.to_wkb(shapely.points(xy))
        yield pa.record_batch([to_arrow(col, c.name, c.type) for c in schema], schema=schema)


def _unit_set(
    recipe: Recipe, poles: Poles, schema: pa.Schema, summary: Summary
) -> Iterator[pa.RecordBatch]:
    """One set of UCs whose polygon holds every pole."""
    area = shapely.MultiPolygon([shapely.box(*poles.xy.min(axis=0), *poles.xy.max(axis=0))])
    row = {"dist": recipe.distribuidora, "nome": "CONJUNTO SINTETICO", "descr": " "}
    row |= {"cod_id": SET_CODE, "sist_inte": 1, "sist_subt": 0}
    row |= {"shape_length": area.length, "shape_area": area.area, "shape": shapely.to_wkb(area)}
    if recipe.model == "M10":
        row["cod_id"] = str(SET_CODE)
    col = {name: np.array([value], dtype=object) for name, value in row.items()}
    yield pa.record_batch([to_arrow(col, c.name, c.type) for c in schema], schema=schema)


_HOURS = np.arange(96) / 4
_DAY_SHAPES: dict[str, Callable[[float], np.ndarray]] = {
    "RES": lambda u: 0.4 + 0.3 * _hill(12, 3) + (0.6 + 0.5 * u) * _hill(19.5, 1.5),
    "IP": lambda u: 1.0 * ((_HOURS < 6) | (_HOURS >= 18)),
    "COM": lambda u: 0.3 + 0.9 * _hill(13, 4) + 0.3 * u * _hill(19, 1),
}
"""Kind of consumer → its day, of a draw in [0, 1); who has none works as a shop does."""


def _hill(centre: float, breadth: float) -> np.ndarray:
    return np.exp(-(((_HOURS - centre) / breadth) ** 2))


def _curves(
    recipe: Recipe, poles: Poles, schema: pa.Schema, summary: Summary
) -> Iterator[pa.RecordBatch]:
    """CRVCRG: the 13 curves of every kind of consumer, for weekday, Saturday and Sunday."""
    voltage = {p.curve: layer[2:] for layer, profiles in PROFILES.items() for p in profiles}
    rng = rng_of(recipe, 6)
    rows = [
        (
            f"{name}_{k}",
            day,
            10.0 * k * factor * _DAY_SHAPES.get(name, _DAY_SHAPES["COM"])(rng.random()),
        )
        for name in voltage
        for k in range(1, 14)
        for day, factor in (("DU", 1.0), ("SA", 0.8), ("DO", 0.6))
    ]
    codes, days, powers = zip(*rows, strict=True)
    groups = objects(voltage[code.rpartition("_")[0]] for code in codes)
    col = {"cod_id": objects(codes), "tip_dia": objects(days), "gru_ten": groups}
    col |= {"pot": np.round(np.array(powers), 4)}
    col |= {
        "dist": np.full(len(rows), recipe.distribuidora),
        "descr": objects(" " * len(rows)),
    }
    yield pa.record_batch([to_arrow(col, c.name, c.type) for c in schema], schema=schema)


_CIRCUITS = ("1_SE01_1", "2_SE01_1")
Builder = Callable[[Recipe, Poles, pa.Schema, Summary], Iterator[pa.RecordBatch]]


def _batch(recipe: Recipe, col: Values, schema: pa.Schema, **constants: str) -> pa.RecordBatch:
    """A batch of these columns; what every network layer has goes by itself."""
    rows = len(next(iter(col.values())))
    common = {
        "descr": " ",
        "sub": "SE01",
        "uni_tr_at": " ",
        "sit_ativ": "AT",
        "pos": "PD",
        **constants,
    }
    col = {k: np.full(rows, v, dtype=object) for k, v in common.items()} | col
    col |= {"dist": np.full(rows, recipe.distribuidora), "conj": np.full(rows, SET_CODE)}
    return pa.record_batch([to_arrow(col, c.name, c.type) for c in schema], schema=schema)


def _no_rows(
    recipe: Recipe, poles: Poles, schema: pa.Schema, summary: Summary
) -> Iterator[pa.RecordBatch]:
    """UGAT, which small distributors have empty."""
    yield from ()


def _plants(layer: str, part: float) -> Builder:
    """UGMT or UGBT: for each so many units of that voltage one small solar plant."""

    def make(
        recipe: Recipe, poles: Poles, schema: pa.Schema, summary: Summary
    ) -> Iterator[pa.RecordBatch]:
        how_many = math.ceil(part * summary.rows.get(layer.replace("G", "C"), 0))
        rng, number = rng_of(recipe, 10, int(layer == "UGMT")), np.arange(how_many)
        col = placed_at(recipe, layer, number, rng.integers(len(poles.xy), size=how_many), poles)
        power = np.round((5 if layer == "UGBT" else 150) * np.exp(0.6 * rng.normal(size=how_many)))
        key = f"{recipe.seed}/{recipe.distribuidora}/{layer}/"
        sha = objects(hashlib.sha256(f"{key}{i}".encode()).hexdigest() for i in range(how_many))
        nothing = np.zeros((how_many, 12))
        col |= {
            "cod_id": sha,
            "ceg_gd": objects(f"GD.RS.009.{i // 1000:03d}.{i % 1000:03d}" for i in range(how_many)),
            "pot_inst": power,
            "dem_cont": np.zeros(how_many),
            "ene": np.round(power[:, None] * 110 * rng.uniform(0.7, 1.3, (how_many, 12)), 5),
            "dem": np.repeat(power[:, None], 12, axis=1),
            **{"dic": nothing, "fic": nothing},
        }
        summary.add(layer, col)
        connection = {"gru_ten": layer[2:], "ten_con": "10", "fas_con": "ABCN", "cnae": " "}
        connection |= {"tip_sist": "RD_INTERLIG", "dat_con": "01/07/2015"}
        yield _batch(recipe, col, schema, **connection)

    return make


def _lamps(
    recipe: Recipe, poles: Poles, schema: pa.Schema, summary: Summary
) -> Iterator[pa.RecordBatch]:
    """PIP: a lamp on every fourth pole."""
    pole = np.arange(0, len(poles.xy), 4)
    how_many = len(pole)
    col = placed_at(recipe, "PIP", pole, pole, poles)
    col |= {
        "cod_id": objects(map(str, range(how_many))),
        "pot_lamp": np.full(how_many, 100.0),
        "car_inst": np.full(how_many, 0.1),
        "ene": np.round(35 * rng_of(recipe, 11).uniform(0.9, 1.1, (how_many, 12)), 5),
    }
    summary.add("PIP", col)
    connection = {
        "clas_sub": "IP",
        "fas_con": "AN",
        "gru_ten": "BT",
        "ten_forn": "10",
        "gru_tar": "B4A",
    }
    yield _batch(recipe, col, schema, **connection, tip_cc="IP_1", dat_con="01/01/2010")


def _transformers(
    recipe: Recipe, poles: Poles, schema: pa.Schema, summary: Summary
) -> Iterator[pa.RecordBatch]:
    """UNTRMT (UNTRD): one for twelve poles, on the first of them."""
    pole = np.arange(0, len(poles.xy), 12)
    col = placed_at(recipe, "UNTRMT", pole, pole, poles)
    powers = np.array([15.0, 30.0, 45.0, 75.0, 112.5, 150.0])
    which = rng_of(recipe, 12).integers(len(powers), size=len(pole))
    codes = objects(["4", "8", "13", "16", "20", "24"])
    col |= {
        "cod_id": col["uni_tr_mt"],
        "pot_nom": codes[which] if recipe.model == "M10" else powers[which],
        "per_fer": np.round(4 * powers[which]),
        "per_tot": np.round(20 * powers[which]),
        "shape": shapely.to_wkb(shapely.points(poles.xy[pole])),
        **{f"pac_{k}": objects(f"ET{k}-{p}" for p in pole) for k in (1, 2)},
    }
    yield _batch(recipe, col, schema, fas_con_p="ABC", fas_con_s="ABCN", dat_con="01/01/2010")


def _polygon(recipe: Recipe, xy: np.ndarray, schema: pa.Schema, **texts: str) -> pa.RecordBatch:
    """One row, whose polygon is the box of these points."""
    area = shapely.MultiPolygon([shapely.box(*xy.min(axis=0), *xy.max(axis=0))])
    col = {name: objects([value]) for name, value in texts.items()}
    col |= {"fun_pr": np.array([0]), "fun_te": np.array([0])}
    col |= {"shape_length": np.array([area.length]), "shape_area": np.array([area.area])}
    return _batch(recipe, col | {"shape": objects([shapely.to_wkb(area)])}, schema)


def _substation(
    recipe: Recipe, poles: Poles, schema: pa.Schema, summary: Summary
) -> Iterator[pa.RecordBatch]:
    middle = poles.xy.mean(axis=0)
    fence = np.array([middle - 0.0005, middle + 0.0005])
    names = dict.fromkeys(("nome", "nom"), "SUBESTACAO SINTETICA")
    yield _polygon(recipe, fence, schema, cod_id="SE01", **names)


def _area(
    recipe: Recipe, poles: Poles, schema: pa.Schema, summary: Summary
) -> Iterator[pa.RecordBatch]:
    yield _polygon(recipe, poles.xy, schema, cod_id="AREA-1")


def _lines(
    recipe: Recipe, poles: Poles, schema: pa.Schema, summary: Summary
) -> Iterator[pa.RecordBatch]:
    """SSDMT: a straight line from the substation to each transformer's pole."""
    pole = np.arange(0, len(poles.xy), 12)
    middle = poles.xy.mean(axis=0)
    rows = [shapely.MultiLineString([[middle, end]]) for end in poles.xy[pole]]
    col = placed_at(recipe, "SSDMT", pole, pole, poles)
    col |= {
        "cod_id": objects(map(str, range(len(pole)))),
        **{"pn_con_1": poles.cod_id[pole], "pn_con_2": poles.cod_id[pole]},
        "shape_length": shapely.length(rows),
        "shape": shapely.to_wkb(rows),
    }
    yield _batch(recipe, col, schema)


def _feeders(
    recipe: Recipe, poles: Poles, schema: pa.Schema, summary: Summary
) -> Iterator[pa.RecordBatch]:
    """CTMT: what went in is what came out, and 6 % on top: 5 % technical, 1 % not."""
    billed = np.array([summary.of_circuit(c, "UCMT", "UCBT", "PIP") for c in _CIRCUITS])
    generated = np.array([summary.of_circuit(c, "UGMT", "UGBT") for c in _CIRCUITS])
    if recipe.has(Fault.ALIMENTADOR_EM_MWH):
        billed, generated = billed / 1000, generated / 1000
    ano = billed.sum(axis=1)
    col = {f"perd_{where}": np.zeros(2) for where in PERDAS}
    col |= {"perd_a4": np.round(0.03 * ano), "perd_b": np.round(0.01 * ano)}
    col |= {
        "perd_a4_b": np.round(0.01 * ano),
        "cod_id": objects(_CIRCUITS),
        "ten_ope": np.ones(2),
        "ene": np.round(1.06 * billed - generated, 3),
        "pntmt": np.round(0.002 * billed, 3),
        "pntbt": np.round(0.008 * billed, 3),
        **dict.fromkeys(("nome", "barr", "pac_ini"), objects(["AL1", "AL2"])),
    }
    yield _batch(recipe, col, schema, ten_nom="49")


def _balance(
    recipe: Recipe, poles: Poles, schema: pa.Schema, summary: Summary
) -> Iterator[pa.RecordBatch]:
    """BE, MWh: what was billed and generated, by subgroup and origin."""
    de = {
        ("A3", "FML"): summary.kwh.get("UCAT", np.zeros(12)),
        ("A4", "FMC"): sum(summary.of_circuit(c, "UCMT") for c in _CIRCUITS),
        ("B", "FMC"): sum(summary.of_circuit(c, "UCBT", "PIP") for c in _CIRCUITS),
        ("A4", "IGD"): sum(summary.of_circuit(c, "UGMT") for c in _CIRCUITS),
        ("B", "IGD"): sum(summary.of_circuit(c, "UGBT") for c in _CIRCUITS),
    }
    subgroups, origins = zip(*de, strict=True)
    col = {"sub_grp": objects(subgroups), "org_ener": objects(origins)}
    col |= {"cod_id": objects("12345"), "ene": np.round(np.array([*de.values()]) / 1000, 3)}
    yield _batch(recipe, col, schema)


def _non_technical(
    recipe: Recipe, poles: Poles, schema: pa.Schema, summary: Summary
) -> Iterator[pa.RecordBatch]:
    """PNT, MWh: CTMT's, by subgroup."""
    billed = sum(summary.of_circuit(c, "UCMT", "UCBT", "PIP") for c in _CIRCUITS)
    col = {"sub_grp": objects(["A4", "B"]), "cod_id": objects("12")}
    col["ene"] = np.round(np.array([0.002 * billed, 0.008 * billed]) / 1000, 3)
    yield _batch(recipe, col, schema)


NETWORK_LAYERS = {
    **{"PONNOT": _points, "CONJ": _unit_set, "CRVCRG": _curves, "PIP": _lamps},
    **{"UGAT": _no_rows, "UGMT": _plants("UGMT", 0.1), "UGBT": _plants("UGBT", 0.03)},
    **{"UNTRMT": _transformers, "SUB": _substation, "ARAT": _area, "SSDMT": _lines},
    **{"CTMT": _feeders, "BE": _balance, "PNT": _non_technical},
}
