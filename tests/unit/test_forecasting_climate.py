"""What temperature may say in a forecast: the unusual goes, and only where it clearly helps."""

from datetime import date

import numpy as np
import pytest

from forecasting import backtest, climate
from forecasting.climate import Climate
from forecasting.naive import seasonal_naive
from forecasting.series import MONTHS, Panel
from tests.unit.test_forecasting import copied, levels, of

USUAL = 22 + 5 * np.cos(2 * np.pi * np.arange(MONTHS) / MONTHS)


def weather(years: int, seed: int = 1) -> np.ndarray:
    """Months around the usual, by 2 °C."""
    unusual = np.random.default_rng(seed).normal(0, 2, (years, MONTHS))
    return USUAL + unusual


def cooled(warmth: np.ndarray, growth: float = 0) -> np.ndarray:
    """Energy of twenty series, of which each degree takes 40 kWh, with little noise."""
    years = len(warmth)
    noise = np.random.default_rng(5).normal(0, 10, (20, years, MONTHS))
    level = 1000 * (1 + growth * np.arange(years))[:, None]
    return (level + 40 * warmth + noise).reshape(20, -1)


def test_a_degree_s_energy_is_found_whatever_the_year_grew() -> None:
    warmth = weather(2)
    years = cooled(warmth, growth=0.1).reshape(20, 2, MONTHS)
    assert climate.per_degree(years, warmth) == pytest.approx(np.full(20, 40), abs=6)
    exact = (40 * warmth + np.array([[0], [700]]))[None]
    assert climate.per_degree(exact, warmth) == pytest.approx([40])


def test_the_month_that_was_too_hot_does_not_come_back_as_hot() -> None:
    """By hand: usual 20 °C, the last January 23 °C, 40 kWh a degree: 120 kWh less."""
    warmth = np.full((3, MONTHS), 20.0)
    warmth[1, 0], warmth[2, 0] = 17, 23
    energy = (1000 + 40 * (warmth - 20)).reshape(1, -1)
    made = climate.corrected(
        energy, Climate(np.empty((0, MONTHS)), warmth.ravel()), 24, np.array(["x"])
    )
    naive = seasonal_naive(energy, 24, np.array(["x"]))
    assert naive.mean[0, :2].tolist() == [1120, 1000]
    assert made.mean[0, [0, 1, 12, 13]] == pytest.approx([1000, 1000, 1000, 1000])
    moved = np.array(made.upper)[:, 0] - np.array(naive.upper)[:, 0]
    assert moved[:, 0] == pytest.approx([-120, -120])


def test_what_is_usual_comes_from_the_years_before_the_safras_too() -> None:
    warmth = np.full((2, MONTHS), 20.0)
    warmth[1, 0] = 24
    energy = (1000 + 10 * (warmth - 20)).reshape(1, -1)
    earlier = np.full((2, MONTHS), 20.0)
    one = climate.corrected(energy, Climate(earlier, warmth.ravel()), MONTHS, np.array(["x"]))
    assert one.mean[0, 0] == pytest.approx(1040 - 10 * (24 - 21))


@pytest.mark.parametrize("years", [4, 5])
def test_where_it_explains_the_energy_it_is_published_and_the_next_year_is_nearer(
    years: int,
) -> None:
    warmth = weather(years + 11, seed=3)
    energy = cooled(warmth[10:])
    past, future = energy[:, :-MONTHS], energy[:, -MONTHS:]
    known = Climate(warmth[:10], warmth[10:-1].ravel())
    made, without = (backtest.forecast(of(past), MONTHS, c) for c in (known, None))
    assert (made.model == climate.NAME).mean() > 0.5
    assert climate.NAME not in without.scores
    off, off_without = (np.abs(m.forecast.mean - future).mean() for m in (made, without))
    assert off < off_without


def test_where_it_explains_nothing_it_is_hardly_ever_published() -> None:
    known = Climate(weather(10), weather(4, seed=2).ravel())
    made = backtest.forecast(of(copied(60, 4)), MONTHS, known)
    assert climate.NAME in made.scores
    assert (made.model == climate.NAME).mean() <= 0.1


def test_later_months_are_not_looked_at() -> None:
    warmth = weather(4)
    energy = cooled(warmth)
    other = warmth.copy()
    other[3] += 10
    before = energy[:, : 3 * MONTHS]
    one, two = (
        climate.corrected(before, Climate(np.empty((0, MONTHS)), w.ravel()), MONTHS, levels(before))
        for w in (warmth, other)
    )
    np.testing.assert_array_equal(one.mean, two.mean)


def test_of_one_year_or_of_unknown_months_nothing_is_said() -> None:
    warmth = weather(2)
    energy = cooled(warmth)
    alone = energy[:, :MONTHS]
    none = np.empty((0, MONTHS))
    made = climate.corrected(alone, Climate(none, warmth.ravel()), MONTHS, levels(alone))
    assert np.isnan(made.mean).all()
    unknown = warmth.copy()
    unknown[1, 6] = np.nan
    made = climate.corrected(energy, Climate(none, unknown.ravel()), MONTHS, levels(energy))
    assert np.isnan(made.mean[:, 6]).all()
    assert not np.isnan(made.mean[:, 5]).any()


def test_months_are_put_where_the_panel_has_them() -> None:
    rows = [(date(2021, 3, 1), 20.0), (date(2023, 1, 1), 25.0)]
    found = climate.of_months(rows, first=2022, last=2024)
    assert found is not None
    assert found.earlier.shape == (1, MONTHS)
    assert found.earlier[0, 2] == 20
    assert found.months[[12, 13]].tolist()[0] == 25
    assert np.isnan(found.months).sum() == 3 * MONTHS - 1
    assert climate.of_months(rows[:1], first=2022, last=2024) is None
    assert climate.of_months([], first=2022, last=2024) is None


def test_a_panel_without_temperatures_is_forecast_as_ever() -> None:
    energy = copied(8, 3)
    keys = [("segmento", f"S{n}") for n in range(8)]
    made = backtest.forecast(Panel(keys, 2024, energy, np.zeros(8, bool)), MONTHS)
    assert climate.NAME not in made.scores
