"""The seasonal naive, which every model has to beat, and intervals that its peers lend it.

Belongs here: numpy alone, all series at once; what one safra can say. Not here: models that are
fitted (models.py), who wins (backtest.py).
"""

from dataclasses import dataclass

import numpy as np

from forecasting.series import MONTHS

LEVELS = (0.80, 0.95)
SMALLEST = 1e-6
"""kWh: of a smaller mean month nothing is a part; its square would be beyond all numbers."""
PEERS = 8
"""Fewer series of a level: all of the distributor's are the peers."""


@dataclass
class Forecast:
    """Series × months: the mean and, from the innermost, the bounds of its intervals."""

    mean: np.ndarray
    lower: tuple[np.ndarray, np.ndarray]
    upper: tuple[np.ndarray, np.ndarray]

    def of(self, rows: np.ndarray | slice, months: slice = slice(None)) -> "Forecast":
        """Some of the series, or of the months."""
        return Forecast(
            self.mean[rows, months],
            tuple(x[rows, months] for x in self.lower),
            tuple(x[rows, months] for x in self.upper),
        )

    def put(self, rows: np.ndarray, other: "Forecast") -> None:
        """Take these series from another forecast."""
        self.mean[rows] = other.mean
        for mine, theirs in zip(
            (*self.lower, *self.upper), (*other.lower, *other.upper), strict=True
        ):
            mine[rows] = theirs

    def widened(self, times: tuple[np.ndarray, np.ndarray]) -> "Forecast":
        """With each interval of a series so many times as wide."""
        lower, upper = (
            tuple(
                self.mean + t[:, None] * (x - self.mean) for x, t in zip(side, times, strict=True)
            )
            for side in (self.lower, self.upper)
        )
        return Forecast(self.mean, lower, upper).sound()

    def sound(self) -> "Forecast":
        """Nothing below zero, and each bound on its side of the mean and outside the one within."""
        mean = np.maximum(self.mean, 0)
        lower, upper, low, high = [], [], mean, mean
        for a, b in zip(self.lower, self.upper, strict=True):
            low, high = np.minimum(np.maximum(a, 0), low), np.maximum(b, high)
            lower.append(low)
            upper.append(high)
        return Forecast(mean, tuple(lower), tuple(upper))


def seasonal_naive(energy: np.ndarray, months: int, levels: np.ndarray) -> Forecast:
    """The same month of the newest year that has it; intervals grow with the root of the years.

    Args:
        energy: series × months, whole years.
        months: how many ahead.
        levels: the level of each series: who its peers are.
    """
    years = energy.reshape(len(energy), -1, MONTHS)
    there = ~np.isnan(years)
    newest = years.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)
    value = np.take_along_axis(years, newest[:, None, :], axis=1)[:, 0]
    ahead = np.arange(months) // MONTHS + 1
    distance = np.sqrt(ahead[None, :] + np.tile(years.shape[1] - 1 - newest, (1, months // MONTHS)))
    mean = np.tile(value, (1, months // MONTHS))
    size = np.abs(_mean(value))[:, None]
    half = [size * width[:, None] * distance for width in widths(energy, levels)]
    lower, upper = tuple(mean - x for x in half), tuple(mean + x for x in half)
    return Forecast(mean, lower, upper).sound()


def widths(energy: np.ndarray, levels: np.ndarray) -> list[np.ndarray]:
    """Half an interval of each series a year ahead, as a part of its mean month.

    A series' own errors are few: its size of error is drawn towards the median of its peers', as if
    they were another year of it; the shape of the distribution is theirs.
    """
    errors = yearly_errors(energy)
    own, many = np.nansum(errors**2, axis=1), (~np.isnan(errors)).sum(axis=1)
    found = [np.zeros(len(energy)) for _ in LEVELS]
    for level in np.unique(levels):
        mine = levels == level
        peers = peers_of(level, levels)
        usual = _median(own[peers] / np.maximum(many[peers], 1), many[peers] > 0)
        size = np.sqrt((own + MONTHS * usual) / (many + MONTHS))
        shape = np.abs(errors[peers]) / np.where(size > 0, size, np.nan)[peers, None]
        shape = shape[~np.isnan(shape)]
        for width, part in zip(found, LEVELS, strict=True):
            width[mine] = size[mine] * (np.quantile(shape, part) if shape.size else 0)
    return found


def peers_of(level: str, levels: np.ndarray) -> np.ndarray:
    """Which series lend a level's their errors."""
    mine = levels == level
    return mine if mine.sum() >= PEERS else np.ones(len(levels), bool)


def yearly_errors(energy: np.ndarray) -> np.ndarray:
    """By how much the seasonal naive was off, as a part of the mean month and for a year ahead.

    Of one year there is none: then how far each month is from the common season of all series,
    times the root of two, for both the month that is copied and the one that comes would be so far.
    """
    years = energy.reshape(len(energy), -1, MONTHS)
    size = _mean(years)
    size = np.where(size > SMALLEST, size, np.nan)
    seen = np.flatnonzero((~np.isnan(years)).any(axis=(0, 2)))
    if len(seen) > 1:
        return np.concatenate(
            [
                (years[:, b] - years[:, a]) / size[:, a, None] / np.sqrt(b - a)
                for a, b in zip(seen, seen[1:], strict=False)
            ],
            axis=1,
        )
    shape = (years / size[:, :, None])[:, seen].reshape(len(energy), -1)
    if not shape.size:
        return np.full((len(energy), MONTHS), np.nan)
    common = np.array([_median(month, ~np.isnan(month)) for month in shape.T])
    return np.sqrt(2) * (shape - common)


def _mean(values: np.ndarray) -> np.ndarray:
    """Along the last axis, of what is there."""
    many = (~np.isnan(values)).sum(axis=-1)
    return np.where(many > 0, np.nansum(values, axis=-1) / np.maximum(many, 1), np.nan)


def _median(values: np.ndarray, there: np.ndarray) -> float:
    return float(np.median(values[there])) if there.any() else 0.0
