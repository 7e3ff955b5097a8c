"""The models that may beat the seasonal naive: statsforecast's.

Belongs here: which, from how many years on, one call each. Not here: who wins (backtest.py).
statsforecast takes seconds to import: only where there are two years to test on.
"""

import multiprocessing
import os
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from forecasting.naive import LEVELS, Forecast
from forecasting.series import MONTHS

LEAST_YEARS = 2
"""In a row, up to the last safra: with fewer, the seasonal naive is all that can be said."""
_FORK = multiprocessing.get_context("fork")
CHUNK = 250
"""Series that a process takes at a time; fewer stay in this one."""


@dataclass(frozen=True)
class Candidate:
    """A model, by the name that readers see, and the whole years that it needs in a row."""

    name: str
    years: int
    make: Callable[[], Any]


def _ets() -> Any:  # noqa: ANN401
    from statsforecast.models import AutoETS

    return AutoETS(season_length=1, model="AZN")


def _seasonal_ets() -> Any:  # noqa: ANN401
    from statsforecast.models import AutoETS

    return AutoETS(season_length=MONTHS, model="AAA", damped=True)


def _mstl() -> Any:  # noqa: ANN401
    from statsforecast.models import MSTL

    return MSTL(season_length=MONTHS)


CANDIDATES = (
    Candidate("ets", 1, _ets),  # no season: what a factory may have
    Candidate("ets_sazonal", 2, _seasonal_ets),
    Candidate("mstl", 2, _mstl),
)


def run_length(energy: np.ndarray) -> np.ndarray:
    """Of each series, how many whole years without a gap its months end in."""
    whole = ~np.isnan(energy.reshape(len(energy), -1, MONTHS)).any(axis=2)
    return np.cumprod(whole[:, ::-1], axis=1).sum(axis=1)


def predict(candidate: Candidate, energy: np.ndarray, months: int) -> Forecast:
    """Series × months ahead; not a number where a series is too short or the model fails."""
    found = np.full((1 + 2 * len(LEVELS), len(energy), months), np.nan)
    length = run_length(energy) * MONTHS
    rows = np.flatnonzero(length >= candidate.years * MONTHS)
    histories = [energy[n, energy.shape[1] - length[n] :] for n in rows]
    chunks = [histories[n : n + CHUNK] for n in range(0, len(histories), CHUNK)]
    work = partial(_fit, candidate, months)
    if len(chunks) > 1:
        candidate.make()  # imports it here, once: the processes are copies of this one
        with ProcessPoolExecutor(min(len(chunks), os.cpu_count() or 1), _FORK) as pool:
            done = list(pool.map(work, chunks))
    else:
        done = [work(chunk) for chunk in chunks]
    if done:
        found[:, rows] = np.concatenate(done, axis=1)
    # A part of a forecast is none.
    found[:, ~np.isfinite(found).all(axis=(0, 2))] = np.nan
    n = len(LEVELS)
    return Forecast(found[0], tuple(found[1 : 1 + n]), tuple(found[1 + n :])).sound()


def _fit(candidate: Candidate, months: int, histories: list[np.ndarray]) -> np.ndarray:
    percents = [round(100 * level) for level in LEVELS]
    names = ["mean", *(f"lo-{p}" for p in percents), *(f"hi-{p}" for p in percents)]
    found = np.full((len(names), len(histories), months), np.nan)
    model = candidate.make()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for n, history in enumerate(histories):
            try:
                said = model.forecast(y=history, h=months, level=percents)
            except Exception:  # noqa: BLE001, S112 - whatever it is, the naive stands
                continue
            for k, name in enumerate(names):
                found[k, n] = np.asarray(said[name])
    return found
