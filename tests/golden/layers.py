"""A delivered file as pandas sees it: one frame per layer, ANEEL's V11 names, fields cleaned.

Belongs here: reading with pyogrio or pandas, what a field means. Not here: leads (expected.py).
Nothing of loaders, macros or models is used: this is the other opinion.
"""

import calendar
import hashlib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd
import pyogrio
import shapely

UC_LAYERS = ("UCAT", "UCMT", "UCBT")
NETWORK = (  # noqa: SIM905
    "CONJ CRVCRG UGAT UGMT UGBT PIP UNTRMT SUB ARAT SSDMT CTMT BE PNT"
).split()
SHAPES = ("CONJ", "SUB", "ARAT", "SSDMT")
OLDER_NAMES = {
    **{"CEG": "CEG_GD", "NOM": "NOME", "COD_ID_ENCR": "COD_ID"},
    **{"UNI_TR_D": "UNI_TR_MT", "UNI_TR_S": "UNI_TR_AT"},
}
MONTHS = range(1, 13)
MOST_KWH = {"UCAT": 5e8, "UCMT": 1e8, "UCBT": 1e7}
"""What one unit can draw in a month: beyond it the row is rejected."""
LANDED = date(2026, 1, 1)
"""At the earliest; no golden file has a date between this and 2900."""


@dataclass(frozen=True)
class Delivery:
    """One file.

    Attributes:
        file: its name.
        sha256: of its bytes.
        utility: DIST of BASE, or of the rows.
        year: of BASE.DAT_FNL, or of DATA_BASE.
        layers: name → rows in the file's order; column ``linha`` is the row's number from 1.
        rejected: name → rows that cannot be keyed (COD_ID blank), or draw what no unit can.
        partial: a ``_pj`` CSV, which answers for its own layer alone.
    """

    file: str
    sha256: str
    utility: int
    year: int
    partial: bool
    layers: dict[str, pd.DataFrame] = field(repr=False)
    rejected: dict[str, int]


SAS_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


def read(path: Path) -> Delivery:
    """Read a geodatabase or a ``_pj`` CSV."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    partial = path.suffix == ".csv"
    raw = _of_csv(path) if partial else _of_geodatabase(path)
    base = raw.pop("BASE")
    layers, rejected = {}, {}
    for name, frame in raw.items():
        frame = frame.assign(**{"linha": range(1, len(frame) + 1)})
        if name not in NETWORK and "COD_ID" in frame:
            good = frame["COD_ID"].map(text).notna()
            if name in MOST_KWH:
                energy = frame[[c for c in frame if c.startswith("ENE_")]].astype(float)
                good &= ~(energy.abs() > MOST_KWH[name]).any(axis=1)
                late = [(day(v) or LANDED) > LANDED for v in frame["DAT_CON"]]
                late = pd.Series(late, index=frame.index, dtype=bool)
                frame["DAT_CON"] = frame["DAT_CON"].astype(object).mask(late, None)
            rejected[name] = int((~good).sum())
            frame = frame[good].reset_index(drop=True)
        layers[name] = frame
    utility, year = int(base["DIST"]), int(base["ANO"])
    return Delivery(path.name, sha256, utility, year, partial, layers, rejected)


def _of_geodatabase(path: Path) -> dict[str, pd.DataFrame]:
    found = {str(n).upper().removesuffix("_TAB"): str(n) for n in pyogrio.list_layers(path)[:, 0]}
    raw: dict[str, pd.DataFrame] = {}
    found["UNTRMT"] = found.get("UNTRMT") or found["UNTRD"]
    for name in (*UC_LAYERS, "PONNOT", *NETWORK, "BASE"):
        spatial = name in ("PONNOT", "UNTRMT", *SHAPES)
        _, _, geometry, columns = pyogrio.raw.read(path, layer=found[name], read_geometry=spatial)
        names = pyogrio.read_info(path, layer=found[name])["fields"]
        frame = pd.DataFrame(dict(zip(map(str, names), columns, strict=True)))
        frame.columns = [OLDER_NAMES.get(c.upper(), c.upper()) for c in frame.columns]
        if name in SHAPES:
            frame["SHAPE"] = list(shapely.from_wkb(geometry))
        elif spatial:
            points = shapely.from_wkb(geometry)
            frame["POINT_X"], frame["POINT_Y"] = shapely.get_x(points), shapely.get_y(points)
        raw[name] = frame
    end = str(raw["BASE"].loc[0, "DAT_FNL"])
    raw["BASE"] = {"DIST": raw["BASE"].loc[0, "DIST"], "ANO": end[-4:]}
    return raw


def _of_csv(path: Path) -> dict[str, pd.DataFrame]:
    frame = pd.read_csv(path, sep=";", dtype=str, keep_default_na=False)
    frame.columns = [OLDER_NAMES.get(c, c) for c in frame.columns]
    numeric = [c for c in frame if c[:4] in ("ENE_", "DEM_", "DIC_", "FIC_")]
    for name in [*numeric, "CAR_INST", "CONJ", "LIV", "SEMRED", "POINT_X", "POINT_Y"]:
        if name in frame:
            frame[name] = pd.to_numeric(frame[name].str.strip().str.replace(",", ".", regex=False))
    base = {"DIST": frame.loc[0, "DIST"], "ANO": frame.loc[0, "DATA_BASE"][5:9]}
    return {path.name[:4].upper(): frame, "BASE": base}


# ── What a field's text means ─────────────────────────────────────────────────────────────────────
def text(value: object) -> str | None:
    """ANEEL's filler is a space."""
    if value is None or value != value:
        return None
    return str(value).strip(" ") or None


def code(value: object) -> str | None:
    """A network element; '0' too means none."""
    return None if text(value) == "0" else text(value)


def _without(value: object, marks: str) -> str:
    return "".join(c for c in text(value) or "" if c not in marks)


def cep(value: object) -> str | None:
    """Eight digits, whatever the punctuation; eight zeros are none."""
    digits = _without(value, " .-")
    good = len(digits) == 8 and digits.isascii() and digits.isdigit() and digits != "0" * 8
    return digits if good else None


def cnae(value: object) -> str | None:
    """Digits; '0' is "not applicable"."""
    digits = _without(value, " .-/")
    return None if digits in ("", "0") else digits


def day(value: object) -> date | None:
    """DD/MM/AAAA, AAAA-MM-DD or DDMONAAAA, whatever time follows, if the calendar has it."""
    written = (str(value) if value is not None else "").strip().upper()
    if len(written) > 10 and written[10] in "T :":
        written = written[:10]
    if len(written) > 9 and written[9] == ":":
        written = written[:9]
    if len(written) == 9 and written[2:5] in SAS_MONTHS:
        parts = [written[:2], f"{SAS_MONTHS.index(written[2:5]) + 1:02d}", written[5:]]
    elif written[4:5] in ("-", "/"):
        parts = written.split(written[4])[::-1]
    else:
        parts = written.split("/")
    if [len(p) for p in parts] != [2, 2, 4] or not all(p.isdigit() for p in parts):
        return None
    d, m, y = map(int, parts)
    if not (1800 <= y <= 2999 and 1 <= m <= 12 and 1 <= d <= calendar.monthrange(y, m)[1]):
        return None
    return date(y, m, d)


def in_brazil(x: float, y: float) -> bool:
    """Whether both are there and lie in the country's box (degrees)."""
    return -74.1 <= x <= -28.6 and -33.9 <= y <= 5.4


def number(value: object) -> float | None:
    """A number, or None for what is missing."""
    return None if value is None or value != value else float(value)


def shape(geometry: shapely.Geometry | None) -> str | None:
    """A line or polygon, as compare.py reads one back: SRID, kind, parts, length, area."""
    if geometry is None:
        return None
    parts = shapely.get_num_geometries(geometry)
    return f"4674 {geometry.geom_type} {parts} {geometry.length:.7g} {geometry.area:.7g}"
