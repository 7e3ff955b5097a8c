"""Which model forecasts each series: tested on whole years that it has not seen.

Belongs here: origins, scores, the choice, the final forecast. Not here: tables (publish.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecasting import climate, models
from forecasting.climate import Climate
from forecasting.naive import LEVELS, Forecast, peers_of, seasonal_naive
from forecasting.series import MONTHS, Panel

NAIVE = "ingenuo_sazonal"
MARGIN = 0.95
"""A model is published where its error is at most this part of the naive's: of several models on
few months, the best is often so by chance."""
ORIGINS = 3
"""Years that are tested, the newest ones: the cost does not grow with the safras."""


@dataclass
class Score:
    """What the held-out months add up to, per series: sums, so that series can be pooled."""

    months: np.ndarray
    error: np.ndarray
    of_naive: np.ndarray
    percent: np.ndarray
    percents: np.ndarray
    symmetric: np.ndarray
    inside: tuple[np.ndarray, np.ndarray]

    @classmethod
    def none(cls, series: int) -> "Score":
        """Of no month."""
        return cls(*(np.zeros(series) for _ in range(6)), (np.zeros(series), np.zeros(series)))

    def add(self, actual: np.ndarray, naive: np.ndarray, forecast: Forecast) -> None:
        """One held-out year, of the months that all three have."""
        there = ~np.isnan(actual) & ~np.isnan(naive) & ~np.isnan(forecast.mean)
        off = np.where(there, np.abs(actual - forecast.mean), 0)
        positive = there & (actual > 0)
        both = np.abs(actual) + np.abs(forecast.mean)
        self.months += there.sum(axis=1)
        self.error += off.sum(axis=1)
        self.of_naive += np.where(there, np.abs(actual - naive), 0).sum(axis=1)
        self.percent += np.where(positive, off / np.where(positive, actual, 1), 0).sum(axis=1)
        self.percents += positive.sum(axis=1)
        self.symmetric += np.where(
            there & (both > 0), 2 * off / np.where(both > 0, both, 1), 0
        ).sum(axis=1)
        for inside, low, high in zip(self.inside, forecast.lower, forecast.upper, strict=True):
            inside += (there & (low <= actual) & (actual <= high)).sum(axis=1)

    def rates(self, rows: np.ndarray) -> tuple[float | None, ...]:
        """mae, mape, mase, smape and the two coverages of these series together; None: no month."""
        months, error = self.months[rows].sum(), self.error[rows].sum()
        return (
            _over(error, months),
            _over(100 * self.percent[rows].sum(), self.percents[rows].sum()),
            _over(error, self.of_naive[rows].sum()),
            _over(100 * self.symmetric[rows].sum(), months),
            *(_over(inside[rows].sum(), months) for inside in self.inside),
        )

    def mase(self) -> np.ndarray:
        """Per series; infinite where the naive is not off or nothing was tested."""
        return np.divide(
            self.error, self.of_naive, out=np.full(len(self.error), np.inf), where=self.of_naive > 0
        )


@dataclass
class Tested:
    """A model on the held-out years.

    Attributes:
        score: with intervals as they are published: widened.
        times: how much wider, per series and interval.
    """

    score: Score
    times: tuple[np.ndarray, np.ndarray]


@dataclass
class Result:
    """A distributor's forecasts, the model of each series, and how all models did."""

    forecast: Forecast
    model: np.ndarray
    scores: dict[str, Score]


Year = tuple[np.ndarray, np.ndarray, Forecast]
"""A held-out year: what came, what the naive said, what the model said."""
Model = Callable[[np.ndarray, np.ndarray, int], Forecast]
"""Series × months before, which of the series, months ahead."""


def forecast(panel: Panel, months: int, temperature: Climate | None = None) -> Result:
    """Forecast each series by the model that won on its held-out years, else by the naive."""
    levels = np.array([level for level, _ in panel.keys])
    contenders = against_the_naive(levels, temperature)
    tested = test(panel.energy, levels, contenders)
    final = seasonal_naive(panel.energy, months, levels).widened(tested[NAIVE].times)
    chosen = choose(tested)
    chosen[models.run_length(panel.energy) < models.LEAST_YEARS] = NAIVE
    for name, model in contenders.items():
        rows = np.flatnonzero(chosen == name)
        if rows.size:
            made = model(panel.energy, rows, months)
            made = made.widened(tuple(t[rows] for t in tested[name].times))
            failed = np.isnan(made.mean).any(axis=1)
            chosen[rows[failed]] = NAIVE
            final.put(rows[~failed], made.of(~failed))
    return Result(final, chosen, {name: t.score for name, t in tested.items()})


def against_the_naive(levels: np.ndarray, temperature: Climate | None) -> dict[str, Model]:
    """The models that may beat it; that of the weather only where temperatures are known."""

    def fitted(candidate: models.Candidate) -> Model:
        return lambda energy, rows, months: models.predict(candidate, energy[rows], months)

    found = {candidate.name: fitted(candidate) for candidate in models.CANDIDATES}
    if temperature is not None:
        found[climate.NAME] = lambda energy, rows, months: climate.corrected(
            energy, temperature, months, levels
        ).of(rows)
    return found


def choose(tested: dict[str, Tested]) -> np.ndarray:
    """The model of each series: of those that clearly beat the naive the best, else the naive."""
    series = len(tested[NAIVE].score.months)
    chosen, best = np.full(series, NAIVE, object), np.full(series, MARGIN)
    for name, candidate in tested.items():
        mase = candidate.score.mase()
        chosen[mase < best] = name
        best = np.minimum(best, mase)
    return chosen


def test(energy: np.ndarray, levels: np.ndarray, contenders: dict[str, Model]) -> dict[str, Tested]:
    """How each model does, trained on what lies before a safra and asked for the safra's months.

    Over a gap the forecast goes as far as the gap is long.
    """
    years = energy.reshape(len(energy), -1, MONTHS)
    seen = np.flatnonzero((~np.isnan(years)).any(axis=(0, 2)))
    enough = bool((models.run_length(energy) >= models.LEAST_YEARS).any())
    held: dict[str, list[Year]] = {NAIVE: []}
    for before, year in list(zip(seen, seen[1:], strict=False))[-ORIGINS:]:
        past, actual = energy[:, : (before + 1) * MONTHS], years[:, year]
        months, last = int(year - before) * MONTHS, slice(-MONTHS, None)
        naive = seasonal_naive(past, months, levels).of(slice(None), last)
        held[NAIVE].append((actual, naive.mean, naive))
        for name, model in contenders.items() if enough else ():
            made = model(past, np.arange(len(past)), months).of(slice(None), last)
            if not np.isnan(made.mean).all():
                held.setdefault(name, []).append((actual, naive.mean, made))
    found = {}
    for name, tests in held.items():
        times = widening(tests, levels)
        score = Score.none(len(energy))
        for actual, naive, made in tests:
            score.add(actual, naive, made.widened(times))
        found[name] = Tested(score, times)
    return found


def widening(tests: list[Year], levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By how much a model's intervals are too narrow for the held-out months of a series' peers."""
    found = tuple(np.ones(len(levels)) for _ in LEVELS)
    for k, part in enumerate(LEVELS):
        for level in np.unique(levels):
            peers = peers_of(level, levels)
            ratios = [
                _off(actual, made.mean, made.upper[k])[peers].ravel() for actual, _, made in tests
            ]
            off = np.concatenate([*ratios, []])
            off = off[~np.isnan(off)]
            if off.size:
                found[k][levels == level] = max(1, np.quantile(off, part))
    return found


def _off(actual: np.ndarray, mean: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """How many halves of the interval away."""
    half = upper - mean
    return np.abs(actual - mean) / np.where(half > 0, half, np.nan)


def _over(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None
