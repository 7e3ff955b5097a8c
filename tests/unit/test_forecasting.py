"""What a forecast of a series must be: chosen on months that it has not seen, never below zero.

Not here: tables, suppression, who is pending (tests/integration/test_forecasts.py).
"""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import backtest, models
from forecasting.backtest import NAIVE
from forecasting.naive import Forecast, seasonal_naive, yearly_errors
from forecasting.series import MONTHS, Panel, comparable, panel

SEASON = 1 + 0.3 * np.sin(2 * np.pi * np.arange(MONTHS) / MONTHS)


def of(energy: np.ndarray) -> Panel:
    """A panel of one level."""
    keys = [("segmento", f"S{n}") for n in range(len(energy))]
    return Panel(keys, 2024, energy, np.zeros(len(keys), bool))


def levels(energy: np.ndarray) -> np.ndarray:
    return np.full(len(energy), "segmento")


def on_held_out_years(energy: np.ndarray) -> dict[str, backtest.Tested]:
    """All models but the weather's on the held-out years."""
    of_level = levels(energy)
    return backtest.test(energy, of_level, backtest.against_the_naive(of_level, None))


def growing(series: int, years: int, seed: int = 1) -> np.ndarray:
    """A season times a level that grows by a tenth a year, with little noise."""
    noise = np.random.default_rng(seed).normal(0, 15, (series, years * MONTHS))
    return 1000 * np.tile(SEASON, years) * (1 + 0.1 * np.arange(years * MONTHS) / MONTHS) + noise


def copied(series: int, years: int, seed: int = 1) -> np.ndarray:
    """Each month is that of the year before plus noise: nothing beats the seasonal naive."""
    steps = np.random.default_rng(seed).normal(0, 100, (series, years, MONTHS))
    return (3000 * SEASON + np.cumsum(steps, axis=1)).reshape(series, -1)


@pytest.mark.parametrize("years", [3, 4])
def test_a_trend_with_a_season_is_forecast_better_than_the_year_before(years: int) -> None:
    """Better on the tested years, and on the year after them, which nothing has seen."""
    energy = growing(12, years + 1)
    past, future = energy[:, :-MONTHS], energy[:, -MONTHS:]
    made = backtest.forecast(of(past), MONTHS)
    assert (made.model != NAIVE).all()
    for n, model in enumerate(made.model):
        *_, mase, _, _, _ = made.scores[model].rates(np.array([n]))
        assert mase < backtest.MARGIN
    naive = np.abs(seasonal_naive(past, MONTHS, levels(past)).mean - future).mean()
    assert np.abs(made.forecast.mean - future).mean() < 0.7 * naive


def test_where_the_year_before_is_the_best_there_is_it_is_published() -> None:
    """Of many models and few months chance lets one win on some series; on most it must not."""
    made = backtest.forecast(of(copied(60, 4)), MONTHS)
    assert (made.model == NAIVE).mean() > 0.8
    for n, model in enumerate(made.model):
        assert made.scores[model].mase()[n] <= 1


def test_of_one_safra_comes_the_year_before_untested_with_wide_intervals() -> None:
    energy = growing(12, 1)
    made = backtest.forecast(of(energy), MONTHS)
    assert list(made.scores) == [NAIVE]
    assert (made.model == NAIVE).all()
    np.testing.assert_array_equal(made.forecast.mean, energy)
    assert made.scores[NAIVE].rates(np.arange(12)) == (None,) * 6
    assert (made.forecast.lower[0] < energy).all()
    assert (made.forecast.lower[1] < made.forecast.lower[0]).all()


def test_one_safra_needs_no_statsforecast() -> None:
    """Its import takes seconds that `make run` of one file must not pay."""
    code = (
        "import sys, numpy as np\n"
        "import dagster_pipeline.batch\n"
        "from forecasting import backtest\n"
        "from forecasting.series import Panel\n"
        "p = Panel([('segmento', 'A')], 2024, np.ones((1, 12)), np.zeros(1, bool))\n"
        "backtest.forecast(p, 12)\n"
        "sys.exit('statsforecast' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=300).returncode == 0


def test_no_held_out_month_reaches_a_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the last year another one, each model says the same of it, from the same months."""
    energy = growing(3, 3)
    other = energy.copy()
    other[:, -MONTHS:] *= 7
    said: list[tuple[str, np.ndarray, np.ndarray]] = []

    def spy(candidate: models.Candidate, past: np.ndarray, months: int) -> Forecast:
        made = real(candidate, past, months)
        said.append((candidate.name, past.copy(), made.mean))
        return made

    real = models.predict
    monkeypatch.setattr(models, "predict", spy)
    one = on_held_out_years(energy)
    half = len(said)
    on_held_out_years(other)
    assert half == 2 * len(models.CANDIDATES)
    assert len(said) == 2 * half
    for (name, past, mean), (again, past_2, mean_2) in zip(said[:half], said[half:], strict=True):
        assert name == again
        np.testing.assert_array_equal(past, past_2)
        np.testing.assert_array_equal(mean, mean_2)
        assert past.shape[1] <= 2 * MONTHS
    assert one[NAIVE].score.months.tolist() == [2 * MONTHS] * 3


def test_a_missing_safra_is_a_gap_and_not_zero() -> None:
    """The year after a gap is forecast from the one before it, as far as the gap is long."""
    energy = growing(10, 3)
    gap = energy.copy()
    gap[:, MONTHS : 2 * MONTHS] = np.nan
    assert models.run_length(gap).tolist() == [1] * 10
    of_gap = on_held_out_years(gap)
    first, last = energy[:, :MONTHS], energy[:, -MONTHS:]
    mae, *_ = of_gap[NAIVE].score.rates(np.arange(10))
    assert mae == pytest.approx(np.abs(last - first).mean())
    assert of_gap[NAIVE].score.months.tolist() == [MONTHS] * 10
    # Two years, but not in a row: no model is tried.
    assert set(of_gap) == {NAIVE}
    # Two years' distance counts as the root of two in a year's error.
    found = yearly_errors(gap)
    np.testing.assert_allclose(
        found, (last - first) / first.mean(axis=1, keepdims=True) / np.sqrt(2)
    )


def test_after_a_gap_no_model_is_published_however_well_it_did() -> None:
    """Two years in a row, the third missing, the fourth alone: only twelve months to fit."""
    energy = growing(10, 4)
    energy[:, 2 * MONTHS : 3 * MONTHS] = np.nan
    made = backtest.forecast(of(energy), MONTHS)
    assert (made.model == NAIVE).all()
    np.testing.assert_array_equal(made.forecast.mean, energy[:, -MONTHS:])


def test_a_series_of_its_own_that_has_a_gap_is_published_naive() -> None:
    """Its peers have three years in a row, and a model; it has the last one alone."""
    energy = growing(10, 3)
    energy[0, MONTHS : 2 * MONTHS] = np.nan
    made = backtest.forecast(of(energy), MONTHS)
    assert made.model[0] == NAIVE
    assert (made.model[1:] != NAIVE).all()


def test_a_model_that_is_hardly_better_is_not_published() -> None:
    """Three series: off by 94 %, 97 % and 120 % of what the naive is off by."""
    actual = np.full((3, MONTHS), 100.0)
    naive = actual + 100
    tested = {}
    for name, off in ((NAIVE, [100.0] * 3), ("ets", [94.0, 97.0, 120.0])):
        mean = actual + np.array(off)[:, None]
        score = backtest.Score.none(3)
        score.add(actual, naive, Forecast(mean, (mean, mean), (mean, mean)))
        tested[name] = backtest.Tested(score, (np.ones(3), np.ones(3)))
    assert backtest.choose(tested).tolist() == ["ets", NAIVE, NAIVE]


def test_the_naive_takes_the_newest_year_that_has_the_month() -> None:
    energy = np.arange(36.0).reshape(1, 36)
    energy[0, 24 + 2] = np.nan
    energy[0, [5, 17, 29]] = np.nan
    mean = seasonal_naive(energy, 24, levels(energy)).mean[0]
    assert mean[2] == mean[14] == 14
    assert np.isnan(mean[[5, 17]]).all()
    assert mean[3] == 27


def test_intervals_of_one_safra_are_wider_the_further_ahead() -> None:
    energy = growing(9, 1)
    made = seasonal_naive(energy, 36, levels(energy))
    width = made.upper[0] - made.mean
    np.testing.assert_allclose(width[:, 12:24], width[:, :12] * np.sqrt(2))
    np.testing.assert_allclose(width[:, 24:], width[:, :12] * np.sqrt(3))


def test_scores_are_what_they_are_called() -> None:
    """By hand: one series, of which two months count; the third is not known."""
    actual = np.array([[100.0, 50.0, np.nan]])
    mean = np.array([[90.0, 60.0, 10.0]])
    made = Forecast(mean, (mean - 10, mean - 50), (mean + 5, mean + 50))
    score = backtest.Score.none(1)
    score.add(actual, np.array([[80.0, 90.0, 1.0]]), made)
    mae, mape, mase, smape, inside_80, inside_95 = score.rates(np.array([0]))
    assert mae == 10
    assert mape == pytest.approx(100 * (10 / 100 + 10 / 50) / 2)
    assert mase == pytest.approx(20 / 60)
    assert smape == pytest.approx(100 * (20 / 190 + 20 / 110) / 2)
    assert (inside_80, inside_95) == (0.5, 1.0)


def test_intervals_are_widened_until_the_peers_are_inside() -> None:
    """A model that says it is sure, and is off, gets the intervals that its errors ask for."""
    actual = np.linspace(1, 100, 120).reshape(10, 12)
    mean = np.zeros((10, 12))
    sure = Forecast(mean, (mean - 1, mean - 1), (mean + 1, mean + 1))
    times = backtest.widening([(actual, mean, sure)], np.full(10, "segmento"))
    score = backtest.Score.none(10)
    score.add(
        actual, mean, Forecast(mean, sure.lower, tuple(t[:, None] * sure.upper[0] for t in times))
    )
    *_, inside_80, inside_95 = score.rates(np.arange(10))
    assert inside_80 == pytest.approx(0.80, abs=0.01)
    assert inside_95 == pytest.approx(0.95, abs=0.01)


def test_series_are_those_of_the_newest_safra_and_hidden_if_ever_small() -> None:
    rows = [
        (2020, "segmento", "A", True, [1.0] * 12),
        (2020, "segmento", "GONE", False, [5.0] * 12),
        (2022, "segmento", "A", False, [3.0] * 11 + [None]),
        (2022, "segmento", "NEW", False, [4.0] * 12),
    ]
    found = panel(rows)
    assert found.keys == [("segmento", "A"), ("segmento", "NEW")]
    assert found.energy.shape == (2, 36)
    assert np.isnan(found.energy[0, 12:24]).all()
    assert np.isnan(found.energy[0, 35])
    assert np.isnan(found.energy[1, :24]).all()
    assert found.hidden.tolist() == [True, False]


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"UCBT": (False, 0, True)}, False),
        ({"UCAT": (False, 0, True)}, True),
        ({"UCBT": (True, 90, False), "UCMT": (True, 5, False)}, False),
    ],
)
def test_a_safra_of_other_layers_is_not_compared(
    change: dict[str, tuple[bool, int, bool]], same: bool
) -> None:
    """A layer that lacks and has rows elsewhere, or a file of legal persons alone."""
    whole = {"UCAT": (True, 0, True), "UCMT": (True, 5, True), "UCBT": (True, 90, True)}
    layers = [(2024, name, *told) for name, told in whole.items()]
    layers += [(2023, name, *told) for name, told in (whole | change).items()]
    assert comparable(layers, 2024) == ({2023, 2024} if same else {2024})


def test_a_mean_month_of_next_to_nothing_makes_no_interval_of_nothing() -> None:
    energy = np.zeros((3, 2 * MONTHS))
    energy[0, 11], energy[:, -MONTHS] = 2e-249, 1.0
    made = seasonal_naive(energy, 12, levels(energy))
    assert np.isfinite([made.mean, *made.lower, *made.upper]).all()


NUMBER = st.one_of(st.just(0.0), st.just(np.nan), st.floats(-1e3, 1e9, allow_nan=False))


@settings(max_examples=60)
@given(st.data(), st.integers(1, 3), st.integers(1, 4), st.sampled_from([12, 24, 36]))
def test_whatever_the_months_are_no_forecast_is_out_of_order(
    data: st.DataObject, years: int, series: int, months: int
) -> None:
    """No lower bound below zero or above the mean, no month without all five numbers or none."""
    numbers = st.lists(NUMBER, min_size=years * MONTHS, max_size=years * MONTHS)
    energy = np.array([data.draw(numbers) for _ in range(series)])
    energy[:, -MONTHS] = 1.0
    made = seasonal_naive(energy, months, levels(energy))
    (l80, l95), (u80, u95) = made.lower, made.upper
    told = np.stack([l95, l80, made.mean, u80, u95])
    known = ~np.isnan(told)
    assert (known.all(axis=0) | ~known.any(axis=0)).all()
    assert (np.diff(told, axis=0)[:, known.all(axis=0)] >= 0).all()
    assert not (told < 0).any()
    assert not np.isinf(told).any()
