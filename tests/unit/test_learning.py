"""Weights from outcomes: what drives sales is found, luck is not, the future tells nothing.

Not here: outcomes in the database, the scores that weights make (integration/test_learning.py).
"""

from collections.abc import Callable

import numpy as np
import pytest

from learning import weights
from learning.outcomes import Cases, Leak

SEED = np.array([0.5, 0.3, 0.15, 0.05])
CRITERIA = ("a", "b", "c", "d")


def cases(
    count: int, log_odds: Callable[[np.ndarray], np.ndarray], seed: int = 0, vintage: int = 2022
) -> Cases:
    """Outcomes of two years, sold by chance as the criteria's values say."""
    lot = np.random.default_rng(seed)
    values = lot.random((count, len(CRITERIA)))
    days = np.datetime64("2023-01-01") + np.sort(lot.integers(0, 700, count))
    won = lot.random(count) < 1 / (1 + np.exp(-log_odds(values)))
    year = np.full(count, vintage)
    return Cases("backup", CRITERIA, SEED, values, year, days, won, count, {})


def driven_by_d(values: np.ndarray) -> np.ndarray:
    return -3 + 5 * values[:, 3]


def by_lot(values: np.ndarray) -> np.ndarray:
    return np.full(len(values), -1.0)


def test_a_criterion_that_drives_sales_gets_the_weight_that_the_seed_denied_it() -> None:
    found = weights.learn(cases(1500, driven_by_d))
    assert found.weights is not None
    assert found.weights["d"] > 0.7
    assert sum(found.weights.values()) == pytest.approx(1, abs=1e-12)
    assert min(found.weights.values()) >= 0
    assert found.seed is not None and found.learned is not None
    assert found.learned.auc > found.seed.auc + 0.1
    assert found.learned.precision > found.seed.precision
    assert found.learned.lift > found.seed.lift
    assert found.learned.brier < found.seed.brier
    assert found.learned.expected == pytest.approx(found.judged_won, rel=0.2)


@pytest.mark.parametrize("seed", range(8))
def test_luck_wins_against_no_seed(seed: int) -> None:
    assert weights.learn(cases(500, by_lot, seed)).weights is None


def test_the_seed_stays_where_it_is_right() -> None:
    found = weights.learn(cases(1500, lambda values: -4 + 8 * values @ SEED))
    assert found.weights is None
    assert found.seed is not None and found.seed.auc > 0.7


@pytest.mark.parametrize(
    ("count", "odds", "said"),
    [(199, driven_by_d, "há 199 leads"), (500, lambda v: np.full(len(v), -6.0), "ganhos")],
)
def test_few_outcomes_or_few_sales_teach_nothing(
    count: int, odds: Callable[[np.ndarray], np.ndarray], said: str
) -> None:
    found = weights.learn(cases(count, odds))
    assert found.weights is None and found.judged is None
    assert said in found.reason and "precisa de 200 e 30" in found.reason


def test_sales_that_are_all_old_judge_nothing() -> None:
    given = cases(1000, driven_by_d)
    given.won[given.day >= np.datetime64("2024-03-01")] = False
    assert "não há com que julgar" in weights.learn(given).reason


def test_what_judges_is_newer_than_all_that_taught_and_shares_no_day_with_it() -> None:
    day = np.sort(np.datetime64("2024-01-01") + np.array([0] * 60 + [1] * 30 + [2] * 10))
    older, newer = weights.split(day)
    assert day[older].max() < day[newer].min()
    assert (older ^ newer).all()
    assert newer.sum() == 40


def test_what_only_the_newer_outcomes_know_is_not_learned() -> None:
    """Criterion d drives the newer third alone: weights that saw it would find it."""
    given = cases(1500, by_lot)
    newer = weights.split(given.day)[1]
    given.won[newer] = given.values[newer, 3] > 0.7
    found = weights.learn(given)
    assert found.weights is None
    seen = weights.fit(given.values, given.won)
    assert seen[3] > 0.7


@pytest.mark.parametrize("vintage", [2023, 2024, 2025])
def test_a_vintage_of_the_outcomes_year_is_refused(vintage: int) -> None:
    with pytest.raises(Leak, match="depois"):
        cases(300, driven_by_d, vintage=vintage)


def test_no_weight_is_below_zero_even_where_less_sells_more() -> None:
    given = cases(1500, lambda values: -1 - 5 * values[:, 0] + 3 * values[:, 2])
    found = weights.fit(given.values, given.won)
    assert found[0] == 0 and found[2] > 0.8
    assert found.sum() == pytest.approx(1, abs=1e-12)


def test_a_criterion_without_data_gets_no_weight() -> None:
    given = cases(800, driven_by_d)
    given.values[:, 1] = 0
    assert weights.fit(given.values, given.won)[1] == 0


def test_where_all_count_against_their_direction_there_are_no_weights() -> None:
    found = weights.learn(cases(1500, lambda values: 3 - 6 * values.mean(axis=1)))
    assert found.weights is None
    assert "nenhum critério" in found.reason


def test_the_first_tenth_counts_equal_scores_by_their_share() -> None:
    won = np.array([True] * 5 + [False] * 15)
    assert weights.lift(np.arange(20)[::-1].astype(float), won) == 4
    assert weights.lift(np.zeros(20), won) == 1
