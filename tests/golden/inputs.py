"""The files that the golden values are of: made-up geodatabases, CSVs and meshes, a log, MUX.

Belongs here: what goes in, from fixed seeds. Not here: what must come out (expected.py).
"""

import csv
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from loaders.synthetic.writer import generate

CLONE = Path(__file__).resolve().parent.parent.parent
TARIFFS = Path(__file__).resolve().parent / "tarifas.csv"
"""Made-up prices of MUX Energia, in ANEEL's layout."""
ROWS = Path(__file__).resolve().parent / "rows"
MUX = CLONE.parent / "shared/data/Mux_Energia_401_2024-12-31_V11_20250806-1857.gdb.zip"

V11_FAULTS = (  # noqa: SIM905
    "at_ds cnae_em_branco cnae_invalido pn_con_orfao codigo_fora_do_dominio tip_sist_desconhecido"
    " energia_negativa u_fffd data_sentinela cep_variado car_inst_em_w dem_cont_car_inst_mw"
    " demanda_zero cod_id_em_branco coluna_extra dic_impossivel energia_impossivel"
).split()
"""Every fault that a landing survives and that belongs together in one file."""
M10_FAULTS = ["at_ds", "pn_con_orfao", "codigo_fora_do_dominio", "cep_variado", "data_sentinela"]
LATER = ("61201-2022",)
LATER_FAULTS = ["at_ds", "alimentador_em_mwh"]
MESHES: tuple[dict[int, list[tuple[float, float]]], ...] = (
    {
        3106200: [(-44.1, -20.1), (-43.8, -20.1), (-43.8, -19.7), (-44.05, -19.75)],
        4320909: [(-52.1, -28.2), (-52.0, -28.201), (-51.9, -28.2), (-51.9, -28.0), (-52.1, -28.0)],
        4309803: [(-52.0, -28.4), (-51.8, -28.4), (-51.8, -28.2), (-51.999, -28.2)],
        4300001: [(-51.0, -31.0), (-50.0, -31.0), (-50.0, -30.0)],
    },
    {4309803: [(-51.9, -28.1), (-51.8, -28.1), (-51.8, -28.0)]},
)
"""Município → corners; in the order of landing: the second file has one of the first's again.

A corner lies on a side but for a hundred metres; the lagoon's code is no município's."""

Row = dict[str, object]


@dataclass(frozen=True)
class Inputs:
    """Files to land: BDGD in landing order, AICSS readings, meshes, ANEEL's tariffs."""

    bdgd: tuple[Path, ...]
    aicss: tuple[Path, ...] = ()
    meshes: tuple[Path, ...] = ()
    tariffs: Path | None = None
    rows: tuple[Path, ...] = ()
    """Rows that are put where a loader would leave them, one file a table (written.py)."""
    again: tuple[str, ...] = ()
    """Safras that are built again once the one before is published: they look at it."""


def synthetic(folder: Path) -> Inputs:
    """Write the made-up files: models V11 and M10, the ``_pj`` CSVs, a log, two meshes."""
    folder.mkdir(parents=True, exist_ok=True)
    v11 = generate(
        folder / "v11.gdb.zip",
        ucs=700,
        seed=7,
        distribuidora=61200,
        ano=2022,
        faults=V11_FAULTS,
    )
    m10 = generate(
        folder / "m10.gdb.zip",
        ucs=320,
        seed=8,
        distribuidora=61201,
        ano=2020,
        model="M10",
        faults=M10_FAULTS,
    )
    # The distributor of 2020 two years later: history, anomalies, feeders in another unit.
    later = generate(
        folder / "later.gdb.zip",
        ucs=320,
        seed=8,
        distribuidora=61201,
        ano=2022,
        faults=LATER_FAULTS,
        anomalias=True,
    )
    layers = {"ucat": _ucat(), "ucmt": _ucmt(), "ucbt": _ucbt()}
    pj = [_write(folder / f"{name}_pj.csv", rows) for name, rows in layers.items()]
    pj += [_write(folder / f"ucbt_pj_{u}.csv", _persons(u)) for u in _SMALL_AND_NOT]
    meshes = (_mesh(folder / f"mesh_{n}.geojson", of) for n, of in enumerate(MESHES))
    logs = (_readings(folder / "readings.csv"), _weeks(folder / "weeks.csv"))
    rows = tuple(sorted(ROWS.glob("*.csv")))
    return Inputs((v11, m10, later, *pj), logs, tuple(meshes), rows=rows, again=LATER)


def _mesh(path: Path, corners: dict[int, list[tuple[float, float]]]) -> Path:
    """As IBGE's service gives it: the code as text."""
    features = [
        {
            "type": "Feature",
            "properties": {"codarea": str(code)},
            "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        }
        for code, ring in corners.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


# ── The _pj CSVs: every special case by hand ──────────────────────────────────────────────────────
def _months(prefix: str, *values: object) -> Row:
    """Twelve months of a series, from one value or from twelve."""
    twelve = values if len(values) == 12 else values * 12
    return {f"{prefix}_{m:02d}": v for m, v in enumerate(twelve, 1)}


def _seen(value: float, *months: int) -> list[float]:
    """``value`` (grown a little by the month) in these months, zero in the others."""
    return [round(value + m / 10, 2) if m in months else 0.0 for m in range(1, 13)]


def _half(first: float, second: float) -> list[float]:
    """A value in the year's first six months, another in the last."""
    return [first] * 6 + [second] * 6


def _unit(code: str, **changed: object) -> Row:
    """A row of 65000-2022 as ANEEL publishes them; ``changed`` in lower case."""
    row: Row = {
        "COD_ID_ENCR": code, "DIST": 65000, "PAC": f"NO-{code}", "PN_CON": "77", "SUB": "SE9",
        "CONJ": 9001, "MUN": "4320909", "CEG_GD": " ", "BRR": "CENTRO", "CEP": "99950-000",
        "CLAS_SUB": "IN", "CNAE": "1091-1/02", "TIP_CC": "A4_1", "FAS_CON": "ABC",
        "GRU_TEN": "MT", "TEN_FORN": "49", "GRU_TAR": "A4", "SIT_ATIV": "AT",
        "DAT_CON": "13/04/2012", "CAR_INST": 150.5, "LIV": 0, "ARE_LOC": "UB",
        "TIP_SIST": "RD_INTERLIG", "POINT_X": " ", "POINT_Y": " ",
        "DATA_BASE": "31DEC2022:00:00:00.0000000",
    }  # fmt: skip
    row |= _months("DIC", 0.5, 0, 0, 1.25, 0, 0, 0, 0, 3.5, 0, 0, 0)
    row |= _months("FIC", 1, 0, 0, 2, 0, 0, 0, 0, 4, 0, 0, 0)
    return row | {name.upper(): value for name, value in changed.items()}


def _at(code: str, *, p: object = 100.5, f: object = 900.25, **changed: object) -> Row:
    series = {"ENE_P": p, "ENE_F": f, "DEM_P": 11.5, "DEM_F": 14.25}
    given = {k: changed.pop(k.lower(), v) for k, v in series.items()}
    row = _unit(code, gru_ten="AT", ten_forn="82", gru_tar="A3", ctat="LD7", dem_cont=500.5)
    for prefix, values in given.items():
        row |= _months(prefix, *(values if isinstance(values, list) else [values]))
    return row | {name.upper(): value for name, value in changed.items()}


def _ucat() -> list[Row]:
    """Two tariff posts; units of one, two and three rows, in any order; one of DS alone."""
    h1, h2 = range(1, 7), range(7, 13)
    blank_p = [" " if m in (3, 5) else 10.5 for m in range(1, 13)]
    blank_f = [" " if m in (4, 5) else 70.5 for m in range(1, 13)]
    return [
        _at("AT01", liv=1, point_x=-52.5, point_y=-28.25),
        _at("AT02", p=_seen(40.5, *h2), f=_seen(90.5, *h2), dem_f=_seen(9.5, *h2), car_inst=10.5),
        _at("AT02", p=_seen(30.5, *h1), f=_seen(80.5, *h1), dem_f=_seen(8.5, *h1), car_inst=20.5,
            sit_ativ="DS", clas_sub="CO1", gru_tar="A2", cnae="4711-3/02", ten_forn="94"),
        _at("AT03", p=_seen(5.5, 1), f=_seen(6.5, 1), sit_ativ="DS", mun="4309803", dem_p=99.5),
        _at("AT03", p=_seen(5.5, 2, 3), f=_seen(6.5, 2, 3), sit_ativ="DS", dem_cont=700.5),
        _at("AT03", p=_seen(5.5, *range(4, 13)), f=_seen(6.5, *range(4, 13)), dem_p=12.5),
        _at("AT04", p=_seen(7.5, *h1), f=_seen(8.5, *h1), sit_ativ="DS", clas_sub="CO1"),
        _at("AT04", p=_seen(7.5, *h2), f=_seen(8.5, *h2), sit_ativ="DS", clas_sub="CO2"),
        _at("AT05", p=blank_p, f=blank_f, ceg_gd="GD.RS.000.111"),
        _at("AT07", gru_tar="A4", dem_p=_half(30.5, 5.5), dem_f=_half(40.5, 3.5), dem_cont=25),
        _at("AT06", gru_tar="A2", tip_sist="MIGDI-X", dem_p=20.5, dem_f=blank_f, conj=0),
    ]  # fmt: skip


def _own(code: str) -> int:
    """A number of a unit's own: many units with the same twelve months would be twins."""
    return int.from_bytes(code.encode()) % 997


def _mt(code: str, *, ene: object = None, dem: object = 33.25, **changed: object) -> Row:
    ene = 1000.5 + _own(code) if ene is None else ene
    row = _unit(code, ctmt="AL5", uni_tr_at=" ", dem_cont=80.5, semred=0)
    for prefix, values in (("ENE", ene), ("DEM", dem)):
        row |= _months(prefix, *(values if isinstance(values, list) else [values]))
    return row | {name.upper(): value for name, value in changed.items()}


def _ucmt() -> list[Row]:
    """Fillers, edges of the box and of the calendar, demand of superseded rows, flags."""
    h1, h2 = range(1, 7), range(7, 13)
    dates = ["31/02/2020", "29/02/2020", "29/02/2021", "00/00/0000", "1/2/2020", "30/04/2021"]
    dates += ["31/04/2021", "01/13/2020", " 31/12/2019 ", "31/12/1799", "01/01/1800", "20200101"]
    dates += ["2019-05-03", "2019-05-03T00:00:00", "03MAY2019", "03may2019:00:00:00", "2019-02-31"]
    dates += ["31FEB2019", "03/05/2019 00:00:00"]
    places = [(-74.1, -33.9), (-28.6, 5.4), (-74.11, -20.5), (-28.59, -20.5), (-50.5, -33.91)]
    places += [(-50.5, 5.41), (0.0, 0.0), (" ", -20.5), (-50.5, " "), (10.5, 10.5)]
    ceps = ["99950000", "99.950-000", "99950 000", "00000000", "9995000", "999500000", " "]
    ceps += ["9995000A", "01310-100"]
    cnaes = ["0", "9999-9/99", "4711302", "01", "A", " ", "0115-6/00", "COMERCIO", "47113", "C"]
    return [
        *(_mt(f"D{i:02d}", dat_con=d, cnae=" ") for i, d in enumerate(dates)),
        *(_mt(f"P{i:02d}", point_x=x, point_y=y) for i, (x, y) in enumerate(places)),
        *(_mt(f"C{i:02d}", cep=c, point_x=-52.5) for i, c in enumerate(ceps)),
        *(_mt(f"N{i:02d}", cnae=c) for i, c in enumerate(cnaes)),
        # Demand of both rows in one month: the greatest counts; DEM_CONT and LIV of the current.
        _mt("M01", ene=_seen(50.5, *h2), dem=[4.5, 9.5] * 6, liv=1, semred=1, dem_cont=60.5),
        _mt("M01", ene=_seen(20.5, *h1), dem=[7.5, 2.5] * 6, sit_ativ="DS", dem_cont=90.5),
        _mt("M02", dem=" ", liv=" ", semred=" ", dem_cont=" ", car_inst=" "),
        _mt("M03", ene=" ", liv=2, semred=1, mun="9999999", pn_con="0", sub="0", pac="0"),
        _mt("M04", mun=" ", sit_ativ="XX", clas_sub="XX9", ten_forn="999", brr="NA"),
        _mt("M05", sit_ativ=" ", liv=1, brr=" ", ene=_seen(3.5, 1), gru_ten=" "),
        _mt("M05", sit_ativ="DS", liv=0, ene=_seen(3.5, 2)),
        _mt("M06", gru_tar="A3A", are_loc="NU", fas_con="ZZ", tip_sist=" ", **_months("dic", " ")),
        # A person's, a farm's and a cooperative's in medium voltage.
        *(_mt(f"R{i:02d}", clas_sub=c) for i, c in enumerate(["RE1", "RU1", "RU4"])),
        # Billed: demand above the contract, at the edge of what is tolerated, below it; optantes B.
        _mt("F01", dem=[*[100.5 + m for m in range(11)], 84], dem_cont=80),
        _mt("F02", gru_tar="A3A", dem=[85.25] * 12, dem_cont=" "),
        _mt("F03", gru_tar="A3A", dem=[85.25] * 6 + [20] * 6, dem_cont=80, liv=1),
        _mt("F04", gru_tar="B3", dem=90.5),
        _mt("F05", gru_tar="B2CO", clas_sub="RU4"),
        _mt("F06", ene=_seen(800.5, *h2), liv=1),
        _mt("F06", ene=_seen(800.5, *range(1, 5)), sit_ativ="DS", liv=0),
        # A month far above the others, one far below, one of nothing but demand.
        _mt("Y01", ene=[900.5 + m for m in range(11)] + [9000.5]),
        _mt("Y02", ene=[9000.5 + m for m in range(11)] + [700.5]),
        _mt("Y03", ene=[*[700.5 + m for m in range(11)], 0]),
        # After the landing day, whichever that is; more than any unit can draw; no place.
        _mt("X01", dat_con="31/12/2950"),
        _mt("X02", ene=[2e8, *[10.5] * 11]),
        _mt("X03", cep="99950-000", point_x=-52.5, point_y=95.5),
        _mt(" "),
    ]


def _bt(code: str, *, ene: object = None, **changed: object) -> Row:
    ene = 250.25 + _own(code) if ene is None else ene
    row = _unit(code, gru_ten="BT", ten_forn="15", gru_tar="B3", clas_sub="CO1", fas_con="AN")
    row |= {"CTMT": "AL6", "UNI_TR_AT": " ", "UNI_TR_MT": "T1", "RAMAL": "9", "SEMRED": 0}
    row |= _months("ENE", *(ene if isinstance(ene, list) else [ene]))
    return row | {name.upper(): value for name, value in changed.items()}


def _ucbt() -> list[Row]:
    return [
        _bt("B01"),
        _bt(" B02 ", clas_sub="RU1", cnae="0111-3/02", semred=1, gru_tar="B2RU"),
        _bt("B03", ene=_seen(60.5, *range(4, 13)), clas_sub="CO1", cnae="4711-3/02"),
        _bt("B03", ene=_seen(20.5, 1, 2, 3), clas_sub="RE1", cnae=" ", sit_ativ="DS"),
        _bt("B04", ene=" ", **_months("dic", " "), **_months("fic", " ")),
        _bt("B05", mun="3550308", cep="01310-100", clas_sub="PP3", ceg_gd="GD.SP.1", liv=1),
        _bt("B06", ene=-5.5, mun="4309803", clas_sub="IP"),
        *(_bt(f"B{n:02d}") for n in range(7, 11)),
        *_beside_companies(),
        # The second distributor that has code AT01: in another layer it is another unit.
        _bt("AT01", pn_con="78", fas_con="ABCN"),
    ]


def _beside_companies() -> list[Row]:
    """Units for which rows/raw.empresa_estabelecimento.csv has companies, a CEP each."""
    changed: dict[int, Row] = {
        5: {"cep": "30110-000"},
        13: {"clas_sub": "RE1"},
        14: {"clas_sub": "RU1", "cnae": "0111-3/02"},
        17: {"cnae": "1610-2/01"},
        23: {"cep": " "},
    }
    changed |= {n: {"cnae": " "} for n in (6, 7, 8, 16, 24)}
    units = [
        _bt(f"E{n:02d}", **({"cep": f"301100{n:02d}", "cnae": "4711-3/02"} | changed.get(n, {})))
        for n in range(1, 28)
    ]
    return [unit | {"MUN": "3106200"} for unit in units]


# Município → the units' monthly kWh, all in low voltage: whole numbers, so that shares are exact.
_SMALL_AND_NOT = {
    51: {
        "3304557": [8, 9, 10, 11, 12, 200],  # one has 80 % and no more
        "2611606": [401, 402],  # legal persons alone
        "3550308": [101, 102, 103, 104, 105, " "],  # two farms among them
        "3106200": [501, 502, 503, 504, 505, 506],  # of two distributors, enough in each
        "2927408": [601, 602, 603, 604, 605, 606, 607],  # of two, too few in the other
        "1302603": [901, 902, 903, 904],  # few, but three firms of the other are seen with them
    },
    61205: {
        "3509502": [201, 250],  # too few
        "3143302": [301, 302, 303, 304, 305],  # the next smallest, hidden with it
        "3518800": [311, 312, 313, 314, 315],  # as few, and shown: its code comes later
    },
    61204: {
        "3106200": [511, 512, 513, 514, 515, 516, 517],
        "2927408": [611, 612, 613],
        "2304400": [11, 12, 13, 14, 15, 90000],  # one has nearly all, and of all that is hidden
        "5300108": [22000, 701, 702, 703, 704],  # the next smallest, hidden with it
        "1302603": [911, 912, 913],  # firms
        "4106902": [801, 802, 803, 804, 805, 806],  # five firms, and one person among them
    },
}


def _persons(utility: int) -> list[Row]:
    """Units of natural persons, but for 2611606's and five of 4106902's."""
    rows = []
    for town, months in _SMALL_AND_NOT[utility].items():
        for n, kwh in enumerate(months):
            firm = town == "2611606" or (town == "4106902" and n)
            firm = firm or (utility, town) == (61204, "1302603")
            kind = "CO1" if firm else "RU1" if town == "3550308" and n < 2 else "RE1"
            unit = {"mun": town, "dist": utility, "clas_sub": kind, "cnae": " "}
            unit["data_base"] = "31DEC2023:00:00:00.0000000"
            rows.append(_bt(f"U{town}-{n}", ene=kwh, **unit))
    return rows


def _write(path: Path, rows: list[Row]) -> Path:
    """Semicolons and decimal commas, as ANEEL's portal gives them."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(names)
        for row in rows:
            writer.writerow(
                str(v).replace(".", ",") if isinstance(v := row.get(n, " "), float) else v
                for n in names
            )
    return path


# ── AICSS ─────────────────────────────────────────────────────────────────────────────────────────
_HEADER = (
    "device_id,timestamp,luz,distancia_cm,consumo_interno,consumo_externo,temperatura,movimento"
    ",energia_economizada_kwh"
)


def _readings(path: Path) -> Path:
    """Three devices, one that no seed knows; gaps, hours crossed, values out of range, no state."""
    rows = [_HEADER]
    day = "2025-03-10T"
    # Every minute from 08:57:30, minute 9 to 13 missing (a gap of 5 periods), then 3 periods sharp.
    minutes = [*range(9), *range(14, 20), 23, 24, 27, 31, 60, 61, 62]
    for k, minute in enumerate(minutes):
        stamp = f"{day}{8 + (57 + minute) // 60:02d}:{(57 + minute) % 60:02d}:30-03:00"
        inside, outside = ["1,0", "0,1", "1,1", "0,0", ",", "1,", ",1"][k % 7].split(",")
        light = [150, 1999, 2000, 2001, 4095, 4096, -1, ""][k % 8]
        distance = [50, 99, 100, 101, 0, 401, 1, ""][(k // 2) % 8]
        rows.append(
            f"aicss-sala,{stamp},{light},{distance},{inside},{outside},{20.5 + k},{k % 2},{k / 8}"
        )
    for second in range(0, 600, 60):
        distance = [0, 99.5, 100.5, ""][second // 60 % 4]
        stamp = (
            f"{day}23:{55 + second // 60:02d}:00-03:00"
            if second < 300
            else (f"2025-03-11T00:{second // 60 - 5:02d}:00-03:00")
        )
        light = 1500 if second % 120 else 2500
        rows.append(f"aicss-garagem,{stamp},{light},{distance},,,,,")
    for second in (0, 1, 3, 7):  # three periods of the default, one second, is 3 s
        rows.append(f"desconhecido,{day}10:00:{second:02d}-03:00,100,50,,,,,")
    for light in (100, 3000, 200):  # three readings of one second
        rows.append(f"desconhecido,{day}10:00:09-03:00,{light},50,,,,,")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


Values = list[tuple[object, object]]
"""Light and distance of a day's readings, one every 40 minutes."""


def _usual(n: int) -> Values:
    """A device's nth day, some of a special kind."""
    # Dark until six and from six in the evening; someone near in the first few readings.
    dark = [k < 9 or k >= 27 for k in range(36)]
    values: Values = [
        (1400 + 10 * k if dark[k] else 3000 + k, 30 + k if k < 4 + n % 5 else 250)
        for k in range(36)
    ]
    if n == 15:  # twelve hours and no more
        values = values[:19]
    if n == 18:  # a quarter of the day; one of ten is impossible, which is no more than may be
        values = [(4096, 40), *values[1:10]]
    if n == 22:  # four of 36 are
        values[3:7] = [(-1, 40), (4096, 40), (100, 401), (100, 1)]
    if n == 24:
        values[5] = (500, 0)
    # Everything on: far above what it was.
    return [(100 + k, 40) for k in range(36)] if n in (10, 28, 31) else values


_SILENT = (12, 20, 21)
_SAME: Values = [(500, 50)] * 36
_STILL: list[Values] = [
    _SAME,
    [(600, 0)] * 36,
    [*[(700, 50)] * 35, (700, 0)],
    _SAME[:30],
    _SAME[:29],
    [*_SAME[:35], (500, 51)],
    [*_SAME[:35], (501, 50)],
    _SAME,
]
"""Days of a sensor that sticks, or nearly does."""


def _weeks(path: Path) -> Path:
    """Three devices that say something every 40 minutes, with a day of each kind that is marked."""
    rows = [_HEADER]

    def put(device: str, day: date, values: Values, every: int = 40) -> None:
        start = datetime(day.year, day.month, day.day)
        for n, (light, distance) in enumerate(values):
            stamp = (start + timedelta(minutes=every * n)).isoformat()
            rows.append(f"{device},{stamp}-03:00,{light},{distance},,,,,")

    for n in set(range(32)) - set(_SILENT):
        put("medidor", date(2023, 3, 12) + timedelta(n), _usual(n))
    for n, values in enumerate(_STILL):
        put("parado", date(2023, 3, 20) + timedelta(n), values)
    put("parado", date(2023, 3, 28), [(-1, 50)] * 36, every=1)
    for month in (3, 8):  # in one the tariff of no subclass, in the other that of the class itself
        put("sitio", date(2022, month, 15), _SAME[:3])
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
