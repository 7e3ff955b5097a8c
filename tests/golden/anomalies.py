"""Anomalies of the low-voltage units of a V11 base, worked out from the geodatabase by pandas.

Belongs here: the kinds of seed anomalia_tipo that need one unit, or its peers, alone. Not here:
demand (few units have it), areas and earlier years: dbt's unit tests have those.
"""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio

SEED = Path(__file__).parents[2] / "seeds" / "anomalia_tipo.csv"
MONTHS = [f"ENE_{m:02d}" for m in range(1, 13)]
KINDS = ("desvio_proprio", "pico", "linha_reta", "zeros", "desvio_dos_pares")

Mark = tuple[str, str, int | None]
"""COD_ID, kind, month."""
Limits = dict[str, dict[str, float]]
_NUMBERS = ("limite", "piso_mad", "efeito_minimo", "minimo_kwh", "minimo_n")


def limits_of_kinds() -> Limits:
    """Kind → the seed's numbers of it."""
    with SEED.open(encoding="utf-8", newline="") as file:
        return {
            row["tipo"]: {k: float(v) for k, v in row.items() if k in _NUMBERS and v}
            for row in csv.DictReader(file)
        }


def _units(gdb: Path) -> pd.DataFrame:
    """One row a unit: attributes of its current row, months summed over all its rows."""
    rows = pyogrio.read_dataframe(gdb, layer="UCBT_tab", read_geometry=False)
    rows["line"] = range(len(rows))
    rows["active"] = rows["SIT_ATIV"] == "AT"
    rows = rows.sort_values(["active", "line"], ascending=False)
    units = rows.groupby("COD_ID", sort=False).first()
    units[MONTHS] = rows.groupby("COD_ID", sort=False)[MONTHS].sum()
    units["connected"] = pd.to_datetime(units["DAT_CON"], format="%d/%m/%Y", errors="coerce")
    return units.reset_index()


def _runs(months: np.ndarray) -> list[tuple[int, int]]:
    """First position and length of each run of equal numbers."""
    starts = [0, *(np.flatnonzero(np.diff(months)) + 1).tolist()]
    return [(a, b - a) for a, b in zip(starts, [*starts[1:], 12], strict=True)]


def expected(gdb: Path, year: int) -> set[Mark]:
    """What the search must mark, and nothing else of these kinds."""
    limits, units, found, medians = limits_of_kinds(), _units(gdb), set(), {}
    for row, unit in enumerate(units.to_dict("records")):
        months = np.array([unit[m] for m in MONTHS], dtype=float)
        there = months[months > 0]
        median = float(np.median(there)) if len(there) else np.nan
        if unit["active"] and len(there) >= 6:
            medians[row] = median
        older = not unit["connected"] >= pd.Timestamp(year, 1, 1)
        marks = _same(months, median, limits, active=unit["active"], older=older)
        marks += _odd(months, there, limits)
        found |= {(unit["COD_ID"], kind, month) for kind, month in marks}
    peers = limits["desvio_dos_pares"]
    return found | _far_from_peers(units.loc[list(medians)], pd.Series(medians), peers)


def _same(
    months: np.ndarray, median: float, limits: Limits, *, active: bool, older: bool
) -> list[tuple[str, int]]:
    """Runs: a flat line, or noughts after consumption or in all of an older unit's year."""
    flat, nought, found = limits["linha_reta"], limits["zeros"], []
    for first, length in _runs(months):
        if months[first] >= flat["minimo_kwh"] and length >= flat["limite"]:
            found.append(("linha_reta", first + 1))
        late = first > 0 and months[first - 1] > 0 and median >= nought["minimo_kwh"]
        none = months[first] == 0 and active and length >= nought["limite"]
        if none and (late or (length == 12 and older)):
            found.append(("zeros", first + 1))
    return found


def _odd(months: np.ndarray, there: np.ndarray, limits: Limits) -> list[tuple[str, int]]:
    """Months far from the unit's median."""
    own, peak, found = limits["desvio_proprio"], limits["pico"], []
    if len(there) < own["minimo_n"]:
        return found
    median = float(np.median(there))
    mad = max(float(np.median(np.abs(np.log(there / median)))), own["piso_mad"])
    for month, kwh in enumerate(months, 1):
        if kwh >= max(peak["limite"] * median, peak["minimo_kwh"]):
            found.append(("pico", month))
        size = abs(np.log(kwh / median)) if kwh > 0 else 0.0
        odd = 0.6745 * size / mad >= own["limite"] and size >= np.log(own["efeito_minimo"])
        if odd and abs(kwh - median) >= own["minimo_kwh"]:
            found.append(("desvio_proprio", month))
    return found


def _far_from_peers(units: pd.DataFrame, medians: pd.Series, limit: dict[str, float]) -> set[Mark]:
    found = set()
    for _, group in units.groupby(["CLAS_SUB", "MUN", "TIP_CC"]):
        if len(group) < limit["minimo_n"]:
            continue
        logs = np.log(medians[group.index])
        away = logs - logs.median()
        mad = max(away.abs().median(), limit["piso_mad"])
        kwh = (medians[group.index] - np.exp(logs.median())).abs()
        odd = (0.6745 * away.abs() / mad >= limit["limite"]) & (kwh >= limit["minimo_kwh"])
        odd &= away.abs() >= np.log(limit["efeito_minimo"])
        found |= {(code, "desvio_dos_pares", None) for code in group["COD_ID"][odd]}
    return found
