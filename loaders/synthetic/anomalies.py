"""Anomalies planted on purpose, and the list of them: what a search for anomalies is measured by.

Belongs here: which units, months and areas, of which kind (seed anomalia_tipo). Not here: faults of
a file (faults.py), the search (dbt_project/models/intel_lead/anomalia.sql).
"""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from loaders.synthetic.recipe import Planted, Recipe, Values
from loaders.synthetic.units import PROFILES, rng_of

_Row = dict[str, np.ndarray]
"""A unit's own twelve months (``ene``, ``dem``), to be changed in place."""


def _typical(row: _Row) -> float:
    return float(np.median(row["ene"][row["ene"] > 0]))


def _odd_month(row: _Row, rng: np.random.Generator) -> int:
    month = int(rng.integers(12))
    row["ene"][month] = _typical(row) * rng.uniform(0.02, 0.12)
    return month


def _peak(row: _Row, rng: np.random.Generator) -> int:
    month = int(rng.integers(12))
    row["ene"][month] = _typical(row) * rng.uniform(6, 15)
    return month


def _flat(row: _Row, rng: np.random.Generator) -> int:
    first = int(rng.integers(5))
    row["ene"][first : first + int(rng.integers(5, 9))] = round(_typical(row))
    return first


def _noughts(row: _Row, rng: np.random.Generator) -> int:
    first = int(rng.integers(2, 6))
    row["ene"][first - 1] = _typical(row)
    length = int(rng.integers(4, 7))
    row["ene"][first : first + length] = 0.0
    # One more than was planted would be another run.
    row["ene"][first + length : first + length + 1] = _typical(row)
    return first


def _far_from_peers(row: _Row, rng: np.random.Generator) -> None:
    row["ene"] /= rng.uniform(200, 500)


def _other_year(row: _Row, rng: np.random.Generator) -> None:
    row["ene"] *= rng.uniform(0.05, 0.15)


def _no_demand(row: _Row, rng: np.random.Generator) -> int:
    month = int(rng.integers(12))
    row["dem"][month] = 0.0
    return month


def _no_energy(row: _Row, rng: np.random.Generator) -> int:
    month = int(rng.integers(12))
    row["ene"][month] = 0.0
    return month


def _beyond_demand(row: _Row, rng: np.random.Generator) -> int:
    month = int(rng.integers(12))
    row["ene"][month] = row["dem"][month] * 744 * rng.uniform(1.2, 2)
    return month


_Change = Callable[[_Row, np.random.Generator], int | None]
_KINDS: dict[str, tuple[int, dict[str, _Change]]] = {
    "UCBT": (
        509,
        {
            "desvio_proprio": _odd_month,
            "pico": _peak,
            "linha_reta": _flat,
            "zeros": _noughts,
            "desvio_dos_pares": _far_from_peers,
            "variacao_anual": _other_year,
        },
    ),
    "UCMT": (
        23,
        {
            "energia_sem_demanda": _no_demand,
            "demanda_sem_energia": _no_energy,
            "energia_acima_da_demanda": _beyond_demand,
        },
    ),
}
"""Layer → one unit in how many gets each kind, and what the kind does to its months; the month that
it returns, from 0, is none where all twelve change."""

_AREAS = (
    ("bairro", "4309803|INDUSTRIAL", 5, 0.4),
    ("circuito", "2_SE01_1", 9, 0.5),
    ("municipio", "4316733", 11, 0.35),
)
"""Level, series, month and what is left of the month's energy."""


def _of_area(col: Values, layer: str, level: str, series: str) -> np.ndarray:
    if level == "bairro":
        town, district = series.split("|")
        return (col["mun"] == town) & (col["brr"] == district)
    if level == "circuito":
        return col["ctat" if layer == "UCAT" else "ctmt"] == series
    return col["mun"] == series


def plant(col: Values, recipe: Recipe, layer: str, block: int) -> list[Planted]:
    """Change a block of units in place; returns what was done to single ones.

    Only units with ten months of consumption or more and 60 kWh in the typical one, and of the
    kinds against peers and years those of residential class: a shop's peers differ too much.
    """
    every, kinds = _KINDS.get(layer, (1, {}))
    rng = rng_of(recipe, 13, list(PROFILES).index(layer), block, recipe.ano)
    found = []
    if kinds:
        fit = (col["ene"] > 0).sum(axis=1) >= 10
    if layer == "UCMT":
        fit &= (col["dem_cont"] > 0) & (col["dem"] > 0).all(axis=1)
    if layer == "UCBT":
        # The maker's empty homes are zeros of an active unit as well.
        older = np.array([int(day[-4:]) < recipe.ano for day in col["dat_con"]])
        empty = col["cod_id"][older & (col["ene"] == 0).all(axis=1)]
        found += [Planted("uc", layer, str(code), 1, "zeros") for code in empty]
    for k, (kind, change) in enumerate(kinds.items()):
        chosen = fit & (col["numero"] % every == k)
        if kind in ("desvio_dos_pares", "variacao_anual"):
            chosen &= col["clas_sub"] == "RE1"
        for i in np.flatnonzero(chosen):
            row = {name: col[name][i] for name in ("ene", "dem") if name in col}
            if _typical(row) < 60:
                continue
            month = change(row, rng)
            code = str(col["cod_id"][i])
            found.append(Planted("uc", layer, code, None if month is None else month + 1, kind))
    for level, series, month, left in _AREAS:
        inside = _of_area(col, layer, level, series)
        for prefix in {"ene", "ene_p", "ene_f"} & col.keys():
            col[prefix][inside, month - 1] *= left
            col[prefix] = np.round(col[prefix], 5)
    return found


def of_areas(recipe: Recipe) -> list[Planted]:
    """The areas that fall; a município takes its bairros with it, which are not listed."""
    return [
        Planted(level, "", series, month, "queda_na_area") for level, series, month, _ in _AREAS
    ]


def write_list(planted: Iterable[Planted], target: Path) -> None:
    """Write the list as CSV; a series is a COD_ID, or an area as mart_anomalia names it."""
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["nivel", "camada", "serie", "mes", "tipo"])
        writer.writerows(planted)
