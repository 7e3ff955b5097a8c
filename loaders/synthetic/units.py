"""Made-up consumer units and poles: how values are distributed, vintage by vintage.

Belongs here: sound values. Not here: faults (faults.py). No value describes a real customer: keys
are hashes of a counter, distributions are of aggregates (MUX 2024, EFLUL 2020/2022).
"""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from loaders.synthetic.recipe import Recipe, Values


@dataclass(frozen=True)
class Profile:
    """A kind of consumer: share of its layer, codes, and the scale of its consumption.

    Attributes:
        median: kWh a month in BT, contracted kW in MT and AT.
        spread: σ of the log of the former.
        three_phase: share with three phases (BT).
    """

    weight: float
    clas_sub: str
    gru_tar: str
    ten_forn: str
    curve: str
    cnaes: str
    median: float
    spread: float = 0.9
    three_phase: float = 1.0


_COMMERCE = "4711-3/02 4781-4/00 4530-7/03 4731-8/00 4789-0/99 5611-2/01 9602-5/01 4744-0/05"
_INDUSTRY = "1091-1/02 3101-2/00 1412-6/01 2833-0/00 2512-8/00 1099-6/99 1813-0/01"
_FARMING = "0115-6/00 0111-3/02 0121-1/01 0151-2/02 0155-5/01"
PROFILES = {
    "UCBT": (
        Profile(0.730, "RE1", "B1", "15", "RES", " ", 150, three_phase=0.14),
        Profile(0.052, "RE2", "B1BR", "15", "RES", " ", 120, three_phase=0.02),
        Profile(0.118, "CO1", "B3", "15", "COM", _COMMERCE, 175, 1.6, 0.45),
        Profile(0.050, "RU1", "B2RU", "15", "RUR", _FARMING, 300, 1.1, 0.3),
        Profile(0.016, "CO6", "B3", "15", "COM", "8112-5/00", 100, 1.5, 0.3),
        Profile(0.010, "IN", "B3", "15", "IND", _INDUSTRY, 700, 1.5, 0.9),
        Profile(0.008, "PP3", "B3", "15", "COM", "8411-6/00", 400, 1.6, 0.6),
        Profile(0.004, "CO5", "B3", "15", "COM", "9491-0/00", 150, 1.5, 0.5),
        Profile(0.004, "CO4", "B3", "15", "COM", "9430-8/00 9412-0/99", 260, 1.4, 0.5),
        Profile(0.002, "SP2", "B3", "15", "SP", "3600-6/01", 1300, 1.8, 0.9),
        Profile(0.002, "CO3", "B3", "15", "COM", "6110-8/01 6010-1/00", 1900, 1.0, 0.8),
        Profile(0.002, "PP2", "B3", "15", "COM", "8412-4/00 8423-0/00", 860, 0.9, 0.7),
        Profile(0.001, "RU4", "B2CO", "15", "RUR", _FARMING, 260, 0.7, 0.5),
        Profile(0.001, "IP", "B4A", "15", "IP", "8411-6/00", 1200, 0.6),
    ),
    "UCMT": (
        Profile(0.35, "CO1", "A4", "49", "A4", "4711-3/02 4731-8/00 4683-4/00 4632-0/01", 80),
        Profile(0.30, "IN", "A4", "49", "A4", "2093-2/00 1053-8/00 1113-5/02", 150, 1.1),
        Profile(0.15, "IN", "B3", "49", "A4", _INDUSTRY, 40, 0.5),
        Profile(0.10, "PP3", "A4", "49", "A4", "8411-6/00", 60, 0.5),
        Profile(0.05, "RU1", "A4", "49", "A4", _FARMING, 100, 0.6),
        Profile(0.05, "IN", "A3A", "72", "A3A", "1066-0/00 1011-2/01", 900, 0.6),
    ),
    "UCAT": (
        Profile(0.75, "IN", "A3", "82", "A3", "2342-7/01 1011-2/01 1066-0/00", 4000, 0.7),
        Profile(0.25, "IN", "A2", "94", "A2", "2320-6/00 1721-4/00", 15000, 0.6),
    ),
}
_SHARES = {"UCBT": 1.0, "UCMT": 0.004, "UCAT": 0.0008}
SET_CODE = 12722
_DISTRICTS = "CENTRO,SAO CRISTOVAO,INDUSTRIAL,SAO PAULO,NOSSA SENHORA APARECIDA,INTERIOR,NA"
_SEASON = np.array([1.04, 1.05, 1.01, 0.99, 0.95, 1.01, 1.08, 1.02, 0.99, 0.91, 0.97, 1.00])
_PEAK_HOURS, _OFF_PEAK_HOURS = 66.0, 664.0
_VANISHING, _ARRIVING, _MOVING = 0.03, 0.04, 0.02
_YEAR_ZERO, _BASE_YEAR = 2000, 2024
BLOCK = 16_384
"""UCs drawn at a time: bounds memory; a UC's values do not depend on who shares its release."""


@dataclass(frozen=True)
class Draw:
    """Draws for one block of UCs, cut to the UCs that the vintage has."""

    rng: np.random.Generator
    alive: slice

    def uniform(self, *shape: int) -> np.ndarray:
        """In [0, 1), one per UC (× ``shape``)."""
        return self.rng.random((BLOCK, *shape))[self.alive]

    def normal(self, *shape: int) -> np.ndarray:
        """Standard normal, one per UC (× ``shape``)."""
        return self.rng.standard_normal((BLOCK, *shape))[self.alive]

    def one_of(self, weights: Sequence[float]) -> np.ndarray:
        """Index of one of the weights."""
        cumulative = np.cumsum(weights)
        return np.searchsorted(cumulative / cumulative[-1], self.uniform(), side="right")


def rng_of(recipe: Recipe, *key: int) -> np.random.Generator:
    """Draws that depend on the recipe's seed, its distributor and a key alone."""
    return np.random.default_rng([recipe.seed, recipe.distribuidora, *key])


def objects(values: Iterable[str | int]) -> np.ndarray:
    """An array of Python objects, as text columns are kept."""
    return np.array(list(values), dtype=object)


@dataclass(frozen=True)
class Poles:
    """The poles of a distributor, the same in every vintage. All arrays have one entry per pole."""

    cod_id: np.ndarray
    municipio: np.ndarray
    district: np.ndarray
    are_loc: np.ndarray
    xy: np.ndarray
    cumulative: np.ndarray


def poles_of(recipe: Recipe) -> Poles:
    """2.7 UCs per pole on average, 44 % of the poles without any, at most ~75 UCs on one."""
    rng = rng_of(recipe, 9)
    total = math.ceil(recipe.ucs / 2.7)
    weights = np.array([m.weight for m in recipe.municipios])
    municipio = rng.choice(len(weights), size=total, p=weights / weights.sum())
    centre = np.array([(m.longitude, m.latitude) for m in recipe.municipios])
    # Beta keeps every pole within 3 km of the town and draws no coordinate twice.
    xy = centre[municipio] + (rng.beta(4, 4, (total, 2)) - 0.5) * 0.05
    use = np.clip(np.exp(0.9 * rng.standard_normal(total)), None, 15) * (rng.random(total) < 0.56)
    use[0] = 1.0
    districts = objects(_DISTRICTS.split(","))
    return Poles(
        cod_id=objects(map(str, range(1000, 1000 + total))),
        municipio=municipio,
        district=districts[rng.integers(len(districts), size=total)],
        are_loc=np.where(rng.random(total) < 0.95, "UB", "NU").astype(object),
        xy=xy,
        cumulative=np.cumsum(use / use.sum()),
    )


def size_of(layer: str, ucs: int) -> int:
    """UCs of a layer in the 2024 vintage; BT takes what MT and AT leave."""
    if layer == "UCBT":
        return ucs - size_of("UCMT", ucs) - size_of("UCAT", ucs)
    return math.ceil(ucs * _SHARES[layer])


def window(total: int, ano: int) -> tuple[int, int]:
    """First and last + 1 UC number of a vintage: the oldest 3 % leave, 4 % arrive at the end."""
    start = round(total * _VANISHING) * (ano - _YEAR_ZERO)
    base = round(total * _VANISHING) * (_BASE_YEAR - _YEAR_ZERO) + total
    return start, base + round(total * _ARRIVING) * (ano - _BASE_YEAR)


@cache
def _calendar() -> np.ndarray:
    """DD/MM/AAAA of every day from 01/01/1951 to 31/12/2101."""
    days = np.arange("1951-01-01", "2102-01-01", dtype="datetime64[D]").astype(object)
    return objects(d.strftime("%d/%m/%Y") for d in days)


def _day(ano: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    """Position in the calendar of a moment of a year."""
    first = (ano - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return (first - np.datetime64("1951-01-01")).astype(int) + (fraction * 365).astype(int)


def _arrival(number: np.ndarray, total: int, fraction: np.ndarray) -> np.ndarray:
    """Year in which a UC number entered the releases; 1985–2000 for those before the first."""
    older = 1985 + (fraction * 16).astype(int)
    if not (new_ones := round(total * _ARRIVING)):
        return older
    end = window(total, _BASE_YEAR)[1]
    ano = _BASE_YEAR - (end - 1 - number) // new_ones
    return np.where(ano > _YEAR_ZERO, ano, older)


def _pole_of_uc(recipe: Recipe, s: Draw, key: tuple[int, ...], poles: Poles) -> np.ndarray:
    """Pole of each UC after every move up to the vintage."""
    pole = np.searchsorted(poles.cumulative[:-1], s.uniform())
    for ano in range(_YEAR_ZERO + 1, recipe.ano + 1):
        m = Draw(rng_of(recipe, *key, 1, ano), s.alive)
        new = np.searchsorted(poles.cumulative[:-1], m.uniform())
        pole = np.where(m.uniform() < _MOVING, new, pole)
    return pole


def _of_profile(profiles: Sequence[Profile], profile: np.ndarray, s: Draw) -> Values:
    """Codes that follow from the kind of consumer."""
    cnaes = [p.cnaes.split(" ") if p.cnaes.strip() else [" "] for p in profiles]
    start = np.cumsum([0, *map(len, cnaes)])[profile]
    how_many = np.array([len(c) for c in cnaes])[profile]
    tri = s.uniform() < np.array([p.three_phase for p in profiles])[profile]
    phase = np.where(
        tri,
        objects(["ABCN", "ABN", "BCN", "CAN"])[s.one_of([6, 1, 1, 1])],
        objects(["AN", "BN", "CN"])[s.one_of([1] * 3)],
    )
    curves = np.array([[f"{p.curve}_{k}" for k in range(1, 14)] for p in profiles], dtype=object)
    return {
        "clas_sub": objects(p.clas_sub for p in profiles)[profile],
        "gru_tar": objects(p.gru_tar for p in profiles)[profile],
        "cnae": objects(c for listed in cnaes for c in listed)[
            start + (s.uniform() * how_many).astype(int)
        ],
        "tip_cc": curves[profile, (13 * s.uniform() ** 2).astype(int)],
        "fas_con": phase,
        "ten_forn": np.where(tri, objects(p.ten_forn for p in profiles)[profile], "10"),
    }


def _bt_consumption(scale: np.ndarray, empty: np.ndarray, a: Draw) -> Values:
    """Monthly kWh: lognormal around the UC's own scale; 4 % of months and 1 % of UCs at zero."""
    ene = scale[:, None] * _SEASON * np.exp(0.25 * a.normal(12)) * (a.uniform(12) > 0.04)
    ene[empty] = 0.0
    return {"ene": np.round(ene, 5)}


def _demand_consumption(layer: str, contracted: np.ndarray, opted: np.ndarray, a: Draw) -> Values:
    """Demand around the contracted one, energy = demand × hours × load factor (≤ 1)."""
    dem = contracted[:, None] * _SEASON * np.clip(0.85 + 0.15 * a.normal(12), 0.2, 1.3)
    factor = (0.15 + 0.5 * a.uniform())[:, None] * (0.85 + 0.15 * a.uniform(12))
    if layer == "UCMT":
        ene = {"ene": dem * (_PEAK_HOURS + _OFF_PEAK_HOURS) * factor}
        # Under a B tariff there is no demand to measure (7 of 40 in MUX).
        return {k: np.round(v, 5) for k, v in ene.items()} | {
            "dem": np.where(opted[:, None], 0.0, np.round(dem, 4))
        }
    dem_p = dem * (0.75 + 0.25 * a.uniform(12))
    values = {"dem_f": dem, "dem_p": dem_p}
    values |= {"ene_f": dem * _OFF_PEAK_HOURS * factor, "ene_p": dem_p * _PEAK_HOURS * factor}
    return {k: np.round(v, 4) for k, v in values.items()}


def _interruptions(recipe: Recipe, a: Draw) -> Values:
    """DIC (h) and FIC: some months have an event that reaches many UCs, most have few."""
    chance = rng_of(recipe, 8, recipe.ano).beta(0.5, 1.5, 12)
    fic = np.where(a.uniform(12) < chance, np.floor(1 + 2.5 * a.uniform(12) ** 2), 0.0)
    return {"fic": fic, "dic": np.round(fic * (0.1 + 0.8 * a.uniform(12)), 5)}


def placed_at(recipe: Recipe, layer: str, number: np.ndarray, pole: np.ndarray, p: Poles) -> Values:
    """What follows from the pole that a UC hangs on."""
    transformer = pole // 12
    municipio = p.municipio[pole]
    codes, ceps = (
        objects(getattr(m, field_name) for m in recipe.municipios) for field_name in ("code", "cep")
    )
    if recipe.model == "V11":
        ceps = objects(f"{c[:5]}-{c[5:]}" for c in ceps)
    return {
        "mun": codes[municipio],
        "cep": ceps[municipio],
        "brr": p.district[pole],
        "are_loc": p.are_loc[pole],
        "pn_con": p.cod_id[pole],
        # Two nodes per pole: half of the BT rows of MUX share their PAC.
        "pac": objects(f"{layer[2:]}-{k}{i % 2}" for k, i in zip(pole, number, strict=True)),
        "uni_tr_mt": objects(f"1_{t}" for t in transformer.tolist()),
        "ctmt": np.where(transformer % 5 < 3, "1_SE01_1", "2_SE01_1").astype(object),
    }


def ucs_of(recipe: Recipe, layer: str, block: int, alive: slice, poles: Poles) -> Values:
    """The UCs of a block that the vintage has, one row each, without faults.

    Among the columns is ``number``, the UC's number in the layer, the same in every vintage.
    """
    key = (order := list(PROFILES).index(layer), block)
    s, a = (Draw(rng_of(recipe, *key, *k), alive) for k in ((0,), (2, recipe.ano)))
    number = np.arange(block * BLOCK, (block + 1) * BLOCK)[alive]
    n, profiles = len(number), PROFILES[layer]
    profile = s.one_of([p.weight for p in profiles])
    pole = _pole_of_uc(recipe, s, key, poles)
    col = {"numero": number} | _of_profile(profiles, profile, s)
    col |= placed_at(recipe, layer, number, pole, poles)

    arrival, fraction = _arrival(number, size_of(layer, recipe.ucs), s.uniform()), s.uniform()
    median, spread = (
        np.array([getattr(p, field_name) for p in profiles])[profile]
        for field_name in ("median", "spread")
    )
    scale = median * np.exp(spread * s.normal())
    generates = s.uniform() < (0.03 if layer == "UCBT" else 0.1)
    prefix = f"{recipe.seed}/{recipe.distribuidora}/{layer}/"
    col |= {
        "cod_id": objects(
            hashlib.sha256(f"{prefix}{i}".encode()).hexdigest() for i in number.tolist()
        ),
        "dist": np.full(n, recipe.distribuidora),
        "ramal": objects(map(str, number.tolist())),
        "conj": np.full(n, SET_CODE),
        "ceg_gd": objects(
            f"GD.RS.{order:03d}.{i // 1000 % 1000:03d}.{i % 1000:03d}" if g else " "
            for i, g in zip(number.tolist(), generates, strict=True)
        ),
        "dat_con": _calendar()[_day(arrival, fraction)],
        "liv": (s.uniform() < {"UCBT": 0.0, "UCMT": 0.2, "UCAT": 0.8}[layer]).astype(int),
        "semred": (s.uniform() < 0.11).astype(int),
    }
    constants = {"gru_ten": layer[2:], "sit_ativ": "AT", "tip_sist": "RD_INTERLIG", "sub": "SE01"}
    constants |= {"ctat": "LD01", "uni_tr_at": " ", "descr": " ", "coluna_nova": "novo"}
    col |= {name: np.full(n, value, dtype=object) for name, value in constants.items()}

    if layer == "UCBT":
        scale = np.where(generates, scale * 0.4, scale)
        col |= _bt_consumption(scale, s.uniform() < 0.01, a)
        col["car_inst"] = np.round(9.0 * np.exp(0.5 * s.normal()), 2)
    else:
        contracted = np.maximum(30.0, 5 * np.round(scale / 5))
        opted = np.char.startswith(col["gru_tar"].astype(str), "B")
        col |= _demand_consumption(layer, contracted, opted, a)
        col["dem_cont"] = np.where(opted, 0.0, contracted)
        col["car_inst"] = np.round(contracted * (1.1 + s.uniform()), 2)
    col |= _interruptions(recipe, a)
    first_month = np.where(arrival < recipe.ano, 0, fraction * 12).astype(int)
    connected = np.arange(12) >= first_month[:, None]
    return {k: v * connected if v.ndim == 2 else v for k, v in col.items()}
